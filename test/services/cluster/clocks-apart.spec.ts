import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { longestMs } from './cluster.js';
import { describeOnEachEngine } from './each-engine.js';

const minuteMs = 60_000;
const apartMs = 10 * minuteMs;
/** More than a lease. */
const underLoadMs = 2_500;

await describeOnEachEngine('processes whose clocks are 10 minutes apart', ({ name, openCluster }) => {
  it(
    'run nothing twice, and nothing earlier than by what their clocks are apart',
    async () => {
      await using cluster = await openCluster();
      const [producer, ...workers] = await Promise.all([
        cluster.produce(),
        ...[-apartMs, 0, apartMs].map((aheadMs) => cluster.workAhead(aheadMs)),
      ]);
      producer.tell(`later ${apartMs + minuteMs}`);
      const later = (await producer.line('later')).split(' ')[1]!;
      producer.tell('produce 3');
      await Promise.all(workers.map((worker) => worker.line('first task')));
      producer.tell(`enqueue 0 ${apartMs / 2}`); // is due already where the clock is ahead
      await producer.line('done 1');
      await sleep(underLoadMs);
      await cluster.finish(producer);
      producer.tell(`forget ${later}`);
      expect(await producer.line('forgot')).toBe(`forgot ${later} scheduled`);

      const { journal } = await cluster.settle(`${name}, clocks apart`);
      expect(journal.reruns).toBe(0);
      expect(journal.superseded).toBeLessThanOrEqual(journal.rerunsAfterStall);
      expect(journal.done).toEqual(journal.acknowledged);
    },
    longestMs,
  );
});
