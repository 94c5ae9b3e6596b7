import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, vi } from 'vitest';
import { KnownCounts } from './known-counts.js';
import type { TaskCounts } from './task-record.js';

function setup() {
  const clock = new ManualClock();
  const counts = { waiting: 7, scheduled: 2, retrying: 1 } as TaskCounts;
  const count = vi.fn<() => Promise<TaskCounts>>(() => Promise.resolve(counts));
  const onFailed = vi.fn<(error: unknown) => void>();
  return { clock, count, onFailed, known: new KnownCounts(clock, count, onFailed) };
}

describe('KnownCounts', () => {
  it('counts at once, and once more when it is asked while it counts', async () => {
    const { clock, count, known } = setup();
    known.recount();
    known.recount();
    known.recount();
    await clock.advance(0);
    expect(count).toHaveBeenCalledTimes(2);
    expect(known).toMatchObject({ waiting: 7, later: 3 });
  });

  it('counts what others do twice a second, however much that is', async () => {
    const { clock, count, known } = setup();
    for (let i = 0; i < 100; i += 1) {
      known.recountSoon();
      known.recountIfDue();
      await clock.advance(20);
    }
    expect(count).toHaveBeenCalledTimes(4);
    known.recountIfDue();
    await clock.advance(500);
    known.recountIfDue();
    await clock.advance(500);
    expect(count).toHaveBeenCalledTimes(5); // the last change is not forgotten
    known.recountIfDue();
    expect(count).toHaveBeenCalledTimes(5);
  });

  it('tells of a count that has failed', async () => {
    const { clock, count, known, onFailed } = setup();
    count.mockRejectedValueOnce(new Error('busy'));
    known.recount();
    await clock.advance(0);
    expect(onFailed).toHaveBeenCalledTimes(1);
  });
});
