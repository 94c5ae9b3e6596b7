import { expect, it } from 'vitest';
import { longestMs } from './cluster.js';
import { describeOnEachEngine } from './each-engine.js';

const workers = 3;

await describeOnEachEngine('a rolling restart under load', ({ name, openCluster }) => {
  it(
    'loses nothing and runs nothing twice, and the others go on with what is left',
    async () => {
      // Nobody is taken for dead here, however busy the machine: what ran twice would be the fault of a stop.
      await using cluster = await openCluster({ lease: '60s' });
      const producer = await cluster.produce();
      const running = await Promise.all(Array.from({ length: workers }, () => cluster.work()));
      producer.tell('produce 3');
      for (const [number, old] of running.entries()) {
        producer.tell('enqueue 1 1500'); // so that something waits when it is told to stop
        await producer.line(`stored ${number + 1}`);
        const [replacement] = await Promise.all([cluster.work(), cluster.stop(old)]);
        await replacement.line('first task');
      }
      await producer.line(`done ${workers}`);
      await cluster.finish(producer);
      const { journal } = await cluster.settle(`${name}, rolling restart of ${workers}`);
      expect(journal.reruns).toBe(0);
      expect(journal.rerunsAfterStall).toBe(0);
      expect(journal.handedOver).toBeGreaterThanOrEqual(workers);
      expect(journal.done).toEqual(journal.acknowledged);
    },
    longestMs,
  );
});
