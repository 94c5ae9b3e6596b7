import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isLong, runs } from '../../long-runs.js';
import { concurrency, longestMs, type Cluster } from './cluster.js';
import { describeOnEachEngine } from './each-engine.js';
import { random } from './seed.js';

const workers = 3;
const kills = runs(9);
const longestShiftMs = 700;

/** Processes that work, each until it is killed at a random moment and another takes its place, so many times in all. */
async function killMany(cluster: Cluster): Promise<void> {
  let killed = 0;
  const workInTurn = async (): Promise<void> => {
    for (let child = await cluster.work(); killed < kills; child = await cluster.work()) {
      const number = killed++;
      await sleep(random(number) * longestShiftMs);
      await cluster.kill(child);
      if (isLong) await cluster.store.report(); // before the server forgets what it has written down
    }
  };
  await Promise.all(Array.from({ length: workers }, workInTurn));
}

await describeOnEachEngine('a cluster whose processes are killed', ({ name, openCluster }) => {
  it(
    'loses nothing, completes nothing twice, and runs again only what a killed process had in hand',
    async () => {
      await using cluster = await openCluster({ lease: '2s' });
      const producer = await cluster.produce();
      producer.tell('produce 3');
      await killMany(cluster);
      await cluster.finish(producer);
      const { journal } = await cluster.settle(`${name}, SIGKILL`, { kills });
      expect(journal.mostRerunsOfOne).toBeLessThanOrEqual(concurrency);
      expect(journal.done).toEqual(journal.acknowledged);
    },
    longestMs + kills * 3_000,
  );
});
