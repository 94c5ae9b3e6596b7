import { AsyncLocalStorage } from 'node:async_hooks';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { Timetable } from './timetable.js';

function setup() {
  const clock = new ManualClock();
  const timetable = new Timetable(clock);
  const done: string[] = [];
  const add = (name: string, delayMs: number) =>
    timetable.add(delayMs, () => void done.push(`${name}@${clock.monotonic()}`));
  return { clock, timetable, done, add };
}

describe('Timetable', () => {
  it('does each thing at its time, and those of one time in the order in which they were added', async () => {
    const { clock, done, add } = setup();
    for (const [name, delayMs] of Object.entries({ c: 20, a: 10, d: 20, b: 10 })) add(name, delayMs);
    await clock.advance(30);
    expect(done).toEqual(['a@10', 'b@10', 'c@20', 'd@20']);
  });

  it('arms one timer for the earliest, earlier when something earlier comes, and none when nothing is left', async () => {
    const { clock, timetable, add } = setup();
    expect([clock.pendingTimers, timetable.nextAt]).toEqual([0, undefined]);
    const later = add('later', 20);
    const earlier = add('earlier', 10);
    expect([clock.pendingTimers, clock.nextTimerAt, timetable.nextAt]).toEqual([1, 10, 10]);
    earlier.cancel();
    expect([clock.pendingTimers, clock.nextTimerAt, timetable.nextAt]).toEqual([1, 20, 20]);
    later.cancel();
    later.cancel();
    expect([clock.pendingTimers, timetable.nextAt]).toEqual([0, undefined]);
  });

  it('does what is added while it does something', async () => {
    const { clock, timetable, done, add } = setup();
    timetable.add(10, () => void add('next', 5));
    await clock.advance(20);
    expect([done, clock.pendingTimers]).toEqual([['next@15'], 0]);
  });

  it('does not do what the thing before it has cancelled', async () => {
    const { clock, timetable, done, add } = setup();
    timetable.add(10, () => cancelled.cancel());
    const cancelled = add('cancelled', 10);
    add('last', 10);
    await clock.advance(10);
    expect(done).toEqual(['last@10']);
    cancelled.cancel(); // no second time
    expect(timetable.nextAt).toBeUndefined();
  });

  it('keeps all that is left, in order, when many in between are cancelled', async () => {
    const { clock, done, add } = setup();
    const entries = Array.from({ length: 300 }, (_, index) => add(String(index), (index * 7) % 300));
    entries.forEach((entry, index) => index % 10 !== 0 && entry.cancel());
    await clock.advance(300);
    const times = done.map((each) => Number(each.split('@')[1]));
    expect(done).toHaveLength(30);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('holds on to nothing of the async context in which something is added', async () => {
    const { clock, timetable } = setup();
    const request = new AsyncLocalStorage<string>();
    const found: unknown[] = [];
    const schedule = clock.schedule.bind(clock);
    clock.schedule = (delayMs, callback) => {
      found.push(request.getStore());
      return schedule(delayMs, callback);
    };
    request.run('request', () => timetable.add(10, () => {}));
    await clock.advance(10);
    expect(found).toEqual([undefined]);
  });
});
