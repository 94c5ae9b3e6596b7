import { expect, it } from 'vitest';
import type { Child } from '../../processes/child.js';
import { longestMs } from './cluster.js';
import { describeOnEachEngine } from './each-engine.js';

async function idOf(line: Promise<string>): Promise<string> {
  return (await line).split(' ').at(-1)!;
}

/** Enqueues a task that runs until the gate of its process is opened, or, when it is heedful, until its signal is aborted. */
function enqueue(producer: Child, kind: 'deaf' | 'heedful'): Promise<string> {
  producer.tell(`enqueue ${kind}`);
  return idOf(producer.nextLine('stored'));
}

await describeOnEachEngine(
  'a process that stands still for longer than its lease',
  ({ name, openCluster }) => {
    it(
      'loses its tasks to another, whose outcome is the only one, and is told so when it goes on',
      async () => {
        await using cluster = await openCluster({ lease: '2s' });
        const [producer, silent] = await Promise.all([cluster.produce(), cluster.work()]);
        const deaf = await enqueue(producer, 'deaf');
        const heedful = await enqueue(producer, 'heedful');
        await Promise.all([deaf, heedful].map((id) => silent.line(`begins ${id}`)));

        cluster.journal.cutOff(silent.pid);
        silent.kill('SIGSTOP');
        const other = await cluster.work();
        await Promise.all([deaf, heedful].map((id) => other.line(`begins ${id}`)));
        silent.tell('open deaf'); // so that the deaf one ends as soon as the process goes on
        silent.kill('SIGCONT');
        await Promise.all([deaf, heedful].map((id) => silent.line(`superseded ${id}`)));
        await silent.line(`aborted ${heedful} TASK_SUPERSEDED`);

        for (const kind of ['deaf', 'heedful']) other.tell(`open ${kind}`);
        await producer.line('done 2');
        const { journal } = await cluster.settle(`${name}, SIGSTOP past the lease`, {
          superseded: cluster.journal.read().superseded,
        });
        expect(journal.superseded).toBe(2);
        expect(other.output).not.toContain('superseded');
        expect(silent.hasEnded).toBe(false);
      },
      longestMs,
    );
  },
);
