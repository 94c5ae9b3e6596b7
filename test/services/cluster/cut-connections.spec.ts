import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runs } from '../../long-runs.js';
import { Gateway } from '../gateway.js';
import { concurrency, longestMs } from './cluster.js';
import { describeOnEachEngine } from './each-engine.js';
import { random } from './seed.js';

const rounds = runs(16);
const longestRestMs = 300;

/** Breaks connections at random moments: at once, or instead of the next reply of the server. */
async function cutMany(gateway: Gateway): Promise<{ cut: number; repliesLost: number }> {
  let [cut, repliesLost] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    await sleep(random(round) * longestRestMs);
    let number = round * 100;
    const chooses = (): boolean => random(++number) < (round % 4 === 3 ? 1 : 0.4);
    if (round % 2 === 0) cut += gateway.breakSome(chooses);
    else repliesLost += gateway.loseNextReply(chooses);
  }
  return { cut, repliesLost };
}

await describeOnEachEngine(
  'connections that break, and replies that are lost',
  ({ name, url, openCluster }) => {
    it(
      'lose nothing, complete nothing twice, and hold up nobody for good',
      async () => {
        await using gateway = await Gateway.open(url);
        await using cluster = await openCluster({ url: gateway.url });
        const [producer, ...workers] = await Promise.all([cluster.produce(), cluster.work(), cluster.work()]);
        producer.tell('produce 2 safely');
        await Promise.all(workers.map((worker) => worker.line('first task')));
        for (const { pid } of workers) cluster.journal.cutOff(pid); // for longer than a lease, on a busy machine
        const counts = await cutMany(gateway);
        await cluster.untilWhole(workers);
        const [ordered, ...refusals] = (await cluster.finish(producer)).split(' ');
        const { journal, store } = await cluster.settle(`${name}, connections cut`, {
          ...counts,
          refused: refusals.join(' ') || 0,
          superseded: cluster.journal.read().superseded,
        });
        expect(store.ids.size).toBe(Number(ordered));
        // Told only of what others have really begun again.
        expect(journal.superseded).toBeLessThanOrEqual(journal.reruns + journal.rerunsAfterStall);
        expect(journal.done).toEqual(journal.acknowledged);
        expect(journal.mostRerunsOfOne).toBeLessThanOrEqual(concurrency * rounds);
        expect([producer, ...workers].filter(({ hasEnded }) => hasEnded)).toEqual([]);
      },
      longestMs + rounds * longestRestMs,
    );
  },
);
