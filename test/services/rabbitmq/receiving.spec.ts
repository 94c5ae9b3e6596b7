import { EventEmitter, once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { describeWithService } from '../service.js';
import { rabbitmq, type Wholesaler } from './rabbitmq.js';
import { openShop } from './shop.js';

function spoil(wholesaler: Wholesaler): Promise<void> {
  return wholesaler.spoilTopology();
}

await describeWithService(rabbitmq, 'orders from RabbitMQ', (url) => {
  it('become tasks, and are acknowledged when they are done', async () => {
    const { wholesaler, packed, close } = await openShop(url);
    const ids = await wholesaler.order(3);
    await expect.poll(() => packed.toSorted()).toEqual(ids);
    await close();
    expect(await wholesaler.waiting()).toBe(0);
  });

  it('stay at the broker when the queue is full', async () => {
    const table = new EventEmitter().setMaxListeners(0);
    let isClear = false;
    const clear = async (): Promise<void> => void (isClear || (await once(table, 'clear')));
    const { wholesaler, packed, queue, close } = await openShop(url, { pack: clear });
    const ids = await wholesaler.order(queue.capacity + 10);
    await expect.poll(() => wholesaler.waiting()).toBe(10);
    expect(queue.size + queue.active).toBe(queue.capacity);
    isClear = true;
    table.emit('clear');
    await expect.poll(() => packed.toSorted()).toEqual(ids.toSorted());
    await close();
    expect(await wholesaler.waiting()).toBe(0);
  });

  it.each([
    ['is not JSON', 'two pounds of fudge', 'order-1', /It is not JSON/],
    ['does not fit the schema', '{"customer":"Kiosk","sweet":"fudge","amount":-1}', 'order-1', /amount/],
    ['has no id', '{"customer":"Kiosk","sweet":"fudge","amount":1}', undefined, /no message_id/],
  ])('are put with the dead, and why, when one %s', async (_, content, id, reason) => {
    const { wholesaler, packed, close } = await openShop(url);
    await wholesaler.send(content, id);
    await wholesaler.order(1);
    await expect.poll(() => packed).toEqual(['order-1']);
    await close();
    expect(await wholesaler.waiting()).toBe(0);
    const dead = await wholesaler.dead();
    expect(dead?.content.toString()).toBe(content);
    expect(dead?.properties.headers?.['x-reason']).toMatch(reason);
    expect(await wholesaler.dead()).toBeUndefined();
  });

  it('are put with the dead when a task in memory has used up its attempts', async () => {
    const attempts: string[] = [];
    const fail = (id: string): never => {
      attempts.push(id);
      throw new Error('out of boxes');
    };
    const { wholesaler, close } = await openShop(url, { pack: fail });
    await wholesaler.order(1);
    await expect.poll(() => attempts, { timeout: 5_000 }).toHaveLength(3);
    await close();
    expect((await wholesaler.dead())?.properties.headers?.['x-reason']).toContain('out of boxes');
  });

  it('are put with the dead when nobody lives to say what is wrong with them', async () => {
    const { wholesaler, host } = await openShop(url);
    await host.service('OrderReceiver').stop();
    await wholesaler.order(1);
    let deaths = 0;
    while (deaths < 50 && (await wholesaler.die())) deaths += 1;
    expect(deaths).toBeGreaterThanOrEqual(20);
    const dead = await vi.waitUntil(() => wholesaler.dead());
    expect(dead.properties.headers?.['x-first-death-reason']).toBe('delivery_limit');
  });

  it('go back when the time to stop is up', async () => {
    const begun: string[] = [];
    const forever = (id: string): Promise<never> => {
      begun.push(id);
      return new Promise(() => {});
    };
    const { wholesaler, close } = await openShop(url, { pack: forever, shutdownTimeout: '200ms' });
    await wholesaler.order(7);
    await expect.poll(() => begun).toHaveLength(5);
    await close();
    await expect.poll(() => wholesaler.waiting()).toBe(7);
  });

  it('are not received from a queue that was made otherwise, and the shop goes on', async () => {
    const { host } = await openShop(url, { prepare: spoil });
    await expect.poll(() => host.service('OrderReceiver').state).toBe('faulted');
    expect(host.service('OrderReceiver').lastError).toMatchObject({ code: 'BROKER_REFUSED' });
    expect(host.service('queue:wholesale').state).toBe('running');
  });

  it('are acknowledged when they are stored, if the queue is durable', async () => {
    const { wholesaler, packed, queue, close } = await openShop(url, { isDurable: true });
    await queue.pause();
    await wholesaler.order(2);
    await expect.poll(() => queue.size).toBe(2);
    await close();
    expect([packed, await wholesaler.waiting()]).toEqual([[], 0]);
  });
});
