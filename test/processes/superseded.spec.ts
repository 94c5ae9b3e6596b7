import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attemptsIn, lineBeginning, Place, startWorkbench, statesIn, store } from './workbench.js';

const variants = [
  { how: 'in its own thread', thread: false },
  { how: 'with `thread`', thread: true },
];

describe.concurrent(
  'a process whose event loop stands still for longer than its lease',
  { timeout: 60_000 },
  () => {
    it.each(variants)(
      'loses its work to another, whose outcome counts, and goes on with other work, $how',
      async ({ thread }) => {
        using place = new Place();
        const { file } = place;
        const options = { file, thread, lease: '1s', pollInterval: 20, concurrency: 1 };
        await using blocked = await startWorkbench(options);
        blocked.tell('blocking slow 0'); // which may begin before it says that it has stored it
        await lineBeginning(blocked, 'begins slow');
        await using other = await startWorkbench(options);
        await lineBeginning(other, 'recovered slow');
        await lineBeginning(other, 'begins slow, attempt 1');
        writeFileSync(`${file}.go`, '');
        await lineBeginning(other, 'done slow');
        await lineBeginning(blocked, 'superseded slow');

        other.kill('SIGTERM');
        expect(await other.end).toEqual({ code: 0, signal: null });
        await store(blocked, 'quick', 'next');
        await lineBeginning(blocked, 'done next');
        blocked.kill('SIGTERM');
        expect(await blocked.end).toEqual({ code: 0, signal: null });
        expect(blocked.lines.filter((line) => line === 'superseded slow')).toHaveLength(1);
        expect(await statesIn(file)).toEqual({ completed: 2 });
        expect(await attemptsIn(file, 'slow')).toEqual(['interrupted']);
      },
    );
  },
);
