import { expect, it } from 'vitest';
import { Child, onEachNest } from './child.js';
import { post } from './requests.js';

const byItself = { code: 0, signal: null };
const bySignal = { code: null, signal: 'SIGTERM' };

onEachNest('draining on Nest $major', (nest) => {
  it.each([
    { how: 'runUntilStopped() on Express', options: [], end: byItself },
    { how: 'runUntilStopped() on Fastify', options: ['--fastify'], end: byItself },
    { how: 'shutdown hooks on Express', options: ['--hooks'], end: bySignal },
    { how: 'shutdown hooks on Fastify', options: ['--hooks', '--fastify'], end: bySignal },
  ])('completes what runs and what waits when SIGTERM comes, with $how', async ({ options, end }) => {
    await using child = new Child(nest, 'drain', ...options);
    await child.line('order 1 begins');
    await child.url();
    child.kill('SIGTERM');
    expect(await child.end).toEqual(end);
    const done = child.lines.filter((line) => line.endsWith(' done'));
    expect(done).toEqual(['dishes done', ...[1, 2, 3, 4, 5].map((order) => `order ${order} done`)]);
    expect(child.output).toMatch(/Waited \d+ ms for service 'Dishwasher' to stop/);
    expect(child.output).toContain("Queue 'default' drains: 4 waiting, 1 running");
    expect(child.output).toMatch(/Queue 'default' drained: waited \d+ ms for 5 tasks/);
    expect(child.output).toMatch(/Stopped in \d+ ms/);
  });

  it.each([
    { how: 'after HTTP is closed', options: [] },
    { how: 'after HTTP is closed, on Fastify', options: ['--fastify'] },
    { how: 'before HTTP is closed', options: ['--drain-early'] },
  ])(
    'completes or names every accepted order when SIGTERM comes amid requests and it drains $how',
    async ({ options }) => {
      await using child = new Child(nest, 'requests', ...options);
      const url = await child.url();
      const accepted: string[] = [];
      const place = async (id: string): Promise<number> => {
        const status = await post(`${url}/orders/${id}`);
        if (status === 202) accepted.push(id);
        return status;
      };
      const placeUntilClosed = async (customer: number): Promise<void> => {
        for (let order = 1; ; order += 1) if ((await place(`order-${customer}-${order}`)) !== 202) return;
      };

      expect(await place('endless')).toBe(202);
      const held = place('held');
      await child.line('holding held');
      const customers = [1, 2, 3].map(placeUntilClosed);
      await child.line('done order-1-10');
      child.kill('SIGTERM');
      await Promise.all([held, ...customers]);

      expect(await child.end).toEqual(byItself);
      expect(accepted.length).toBeGreaterThan(10);
      const report = await child.line(/Queue 'default' closed with work left/);
      expect(report).toContain('endless');
      const lost = accepted.filter(
        (id) => !child.lines.includes(`done ${id}`) && !report.includes(`${id} (`),
      );
      expect(lost).toEqual([]);
    },
  );

  it('accepts an order that a request in flight places while it stops when it drains after HTTP is closed', async () => {
    await using child = new Child(nest, 'requests');
    const held = post(`${await child.url()}/orders/held`);
    await child.line('holding held');
    child.kill('SIGTERM');
    expect(await held).toBe(202);
    expect(await child.end).toEqual(byItself);
    expect(child.lines).toContain('done held');
  });

  it('refuses what a request places while the queue drains, in time to answer 503, when that is before HTTP is closed', async () => {
    await using child = new Child(nest, 'requests', '--drain-early');
    const late = post(`${await child.url()}/orders/late`);
    await child.line('holding late');
    child.kill('SIGTERM');
    expect(await late).toBe(503);
    expect(await child.end).toEqual(byItself);
    expect(child.lines).not.toContain('done late');
  });

  it('completes every task when the teardown of another module throws', async () => {
    await using child = new Child(nest, 'broken-teardown');
    await child.url();
    child.kill('SIGTERM');
    await child.end;
    expect(child.lines.filter((line) => line.endsWith(' done'))).toEqual(['order 1 done', 'order 2 done']);
    expect(child.output).toContain('paper jam');
    expect(child.output).toMatch(/Stopped in \d+ ms/);
  });
});
