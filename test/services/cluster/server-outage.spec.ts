import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Cluster, concurrency, longestMs } from './cluster.js';
import { describeOnOwnServers } from './own-servers.js';

const shortOutageMs = 300;
/** How long a process may go on that waits for a server in vain. */
const soonMs = 10_000;

describeOnOwnServers('a server that goes away under load', ({ engine, openServer, signals, unreachable }) => {
  it(
    'and comes back, twice: nothing is lost, and what is refused meanwhile can be enqueued again',
    async () => {
      await using server = await openServer();
      await using cluster = new Cluster(await engine.createStore(server.url));
      const [producer, ...workers] = await Promise.all([cluster.produce(), cluster.work(), cluster.work()]);
      producer.tell('produce 3 safely');
      await Promise.all(workers.map((worker) => worker.line('first task')));

      const outage = async (signal: NodeJS.Signals, whileAway: () => Promise<unknown>): Promise<void> => {
        for (const { pid } of workers) cluster.journal.cutOff(pid);
        await server.stop(signal);
        await whileAway();
        expect(await server.start()).toBe(true);
        await cluster.untilWhole(workers);
      };
      await outage(signals.stop, () => producer.line('refused'));
      await outage(signals.crash, () => sleep(shortOutageMs));
      const [ordered, ...refusals] = (await cluster.finish(producer)).split(' ');

      const { journal, store } = await cluster.settle(`${engine.name}, server stopped and crashed`, {
        refused: refusals.join(' '),
      });
      expect(refusals.map((refusal) => refusal.split('=')[0])).toEqual([unreachable]);
      expect(store.ids.size).toBe(Number(ordered)); // none for each time that one was enqueued
      expect(journal.done).toEqual(journal.acknowledged);
      expect(journal.mostRerunsOfOne).toBeLessThanOrEqual(2 * concurrency);
      expect(workers.filter(({ hasEnded }) => hasEnded)).toEqual([]);
    },
    longestMs,
  );

  it(
    'and stays away: whoever is told to stop ends by itself',
    async () => {
      await using server = await openServer();
      await using cluster = new Cluster(await engine.createStore(server.url));
      const children = await Promise.all([cluster.produce(), cluster.work()]);
      await server.stop(signals.stop);
      await sleep(shortOutageMs);
      await Promise.all(children.map((child) => cluster.stop(child)));
      expect(
        children.flatMap(({ lines }) => lines.filter((line) => /unhandled|aborted/i.test(line))),
      ).toEqual([]);
      await server.start(); // what it holds is removed
    },
    longestMs,
  );

  it(
    'as soon as it has been reached, and stays away: whoever is told to stop ends by itself',
    async () => {
      await using server = await openServer();
      await using cluster = new Cluster(await engine.createStore(server.url));
      const child = await cluster.work();
      await server.stop(signals.crash); // before all the connections that it makes could be ready
      await sleep(shortOutageMs);
      const toldAt = Date.now();
      await cluster.stop(child);
      expect(Date.now() - toldAt).toBeLessThan(soonMs);
      expect(child.lines.filter((line) => /unhandled|aborted/i.test(line))).toEqual([]);
      await server.start(); // what it holds is removed
    },
    longestMs,
  );
});
