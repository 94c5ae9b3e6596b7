import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { longestMs, type Cluster } from './cluster.js';
import { describeOnEachEngine } from './each-engine.js';

const processes = 3;
const tasks = 30;

await describeOnEachEngine('pausing a queue of a cluster', ({ name, openCluster }) => {
  it(
    'reaches all processes, and so does resuming it',
    async () => {
      await using cluster = await openCluster({ lease: '10s' });
      const [one, other, third] = await Promise.all(Array.from({ length: processes }, () => cluster.work()));
      const all = [one!, other!, third!];
      one!.tell('pause');
      await Promise.all(all.map((child) => child.line('paused')));
      for (let i = 0; i < tasks; i += 1) all[i % processes]!.tell('enqueue 0');
      await Promise.all(all.map((child) => child.line(`stored ${tasks / processes} `)));
      const late = await cluster.work(); // also one that starts meanwhile
      await late.line('paused');
      const begun = startsIn(cluster);

      other!.tell('resume');
      await Promise.all([...all, late].map((child) => child.line('resumed')));
      await Promise.all(all.map((child) => child.line(`done ${tasks / processes} `)));
      const { journal } = await cluster.settle(`${name}, pause and resume`, { 'begun while paused': begun });
      expect(begun).toBe(0);
      expect(journal.starts).toBe(tasks);
    },
    longestMs,
  );
});

function startsIn({ journal }: Cluster): number {
  return readFileSync(journal.path, 'utf8').match(/^start /gm)?.length ?? 0;
}
