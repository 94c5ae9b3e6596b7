import { expect, it, onTestFinished } from 'vitest';
import { redis, removeKeys } from '../services/bullmq/redis.js';
import { dropSchema, postgres } from '../services/postgres/postgres.js';
import { describeWithService } from '../services/service.js';
import type { Child } from './child.js';
import { SweetShop } from './sweet-shop.js';

const byItself = { code: 0, signal: null };
const servers = [
  { service: postgres, remove: dropSchema },
  { service: redis, remove: removeKeys },
];

/** The customers that a process has welcomed; one that it welcomed twice is there twice. */
function welcomedBy(...children: readonly Child[]): string[] {
  return children.flatMap(({ output }) => [...output.matchAll(/Welcomed (\S+)/g)].map(([, name]) => name!));
}

/** Sends in as many customers at once. Resolves with their names when all are accepted. */
async function sendCustomers(url: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, n) => `customer-${n}`).toSorted();
  const send = async (name: string): Promise<void> => {
    const body = JSON.stringify({ name, email: `${name}@example.com` });
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${url}/customers`, { method: 'POST', headers, body });
    expect(status).toBe(201);
  };
  await Promise.all(names.map(send));
  return names;
}

/** A web process and two workers, of which the second is to take over from the first. */
async function open({ service, remove }: (typeof servers)[number], url: string) {
  const shop = new SweetShop({ [service.variable]: url });
  onTestFinished(() => remove(url, shop.name));
  const [web, first, second] = ['web', 'worker', 'worker'].map((role) =>
    shop.start({ NIGHTSHIFT_ROLE: role }),
  ) as [Child, Child, Child];
  await Promise.all([first, second].map((worker) => worker.line('at work')));
  const [, address] = /open: (\S+)/.exec(await web.line('The sweet shop is open'))!;
  return { web, first, second, address: address! };
}

for (const server of servers) {
  const { service } = server;
  await describeWithService(service, `one image as web and as worker on ${service.name}`, (url) => {
    it('does every task once, in a worker, while one worker takes over from another', async () => {
      const opened = await open(server, url);
      await using web = opened.web;
      await using first = opened.first;
      await using second = opened.second;
      const sent = sendCustomers(opened.address, 25);
      await expect.poll(() => welcomedBy(first).length, { timeout: 30_000 }).toBeGreaterThan(4);
      first.kill('SIGTERM');
      expect(await first.end).toEqual(byItself);
      const names = await sent;
      const welcomed = (): string[] => welcomedBy(web, first, second).toSorted();
      await expect.poll(welcomed, { timeout: 30_000 }).toEqual(names);

      for (const last of [second, web]) last.kill('SIGTERM');
      expect([await second.end, await web.end]).toEqual([byItself, byItself]);
      expect(welcomed()).toEqual(names);
      expect(welcomedBy(web)).toEqual([]);
    });
  });
}
