import { describe, expect, it } from 'vitest';
import { attemptsIn, lineBeginning, Place, startWorkbench, statesIn, store } from './workbench.js';

const byItself = { code: 0, signal: null };

describe.concurrent('SIGTERM with a durable queue', { timeout: 60_000 }, () => {
  const variants = [
    { how: 'in its own thread', thread: false },
    { how: 'with `thread`', thread: true },
  ];

  it.each(variants)(
    'finishes what runs and keeps what waits, and the next start completes it, $how',
    async ({ thread }) => {
      using place = new Place();
      const options = { file: place.file, thread, concurrency: 2 };
      await using first = await startWorkbench(options);
      for (const name of ['a', 'b']) await store(first, 'gated', name);
      for (const name of ['c', 'd', 'e']) await store(first, 'quick', name);
      await lineBeginning(first, 'begins b');
      first.kill('SIGTERM');
      await first.line("Queue 'default' stops: 2 running, and 3 waiting are kept");
      await store(first, 'quick', 'late'); // what it accepts is not lost
      first.tell('open');
      expect(await first.end).toEqual(byItself);
      expect(await statesIn(options.file)).toEqual({ completed: 2, waiting: 4 });
      expect(first.lines).not.toContain('begins c, attempt 1');

      await using second = await startWorkbench(options);
      await Promise.all(['c', 'd', 'e', 'late'].map((name) => lineBeginning(second, `done ${name}`)));
      second.kill('SIGTERM');
      expect(await second.end).toEqual(byItself);
      expect(await statesIn(options.file)).toEqual({ completed: 6 });
    },
  );

  it.each(variants)(
    'gives back what the deadline cuts off, as the same attempt, and ends, $how',
    async ({ thread }) => {
      using place = new Place();
      const options = { file: place.file, thread, shutdownTimeout: '200ms', concurrency: 2 };
      await using first = await startWorkbench(options);
      await store(first, 'deaf', 'deaf');
      await store(first, 'heedful', 'heedful');
      await store(first, 'quick', 'behind');
      await lineBeginning(first, 'begins heedful');
      await lineBeginning(first, 'begins deaf');
      first.kill('SIGTERM');
      expect(await first.end).toEqual(byItself);
      expect(first.output).toContain('interrupted heedful');
      expect(await statesIn(options.file)).toEqual({ waiting: 3 });
      for (const name of ['deaf', 'heedful'])
        expect(await attemptsIn(options.file, name)).toEqual(['interrupted']);

      await using second = await startWorkbench(options);
      await Promise.all(
        ['deaf', 'heedful'].map((name) => lineBeginning(second, `begins ${name}, attempt 1`)),
      );
    },
  );
});
