import { AsyncLocalStorage } from 'node:async_hooks';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { PeriodicTimer, type ClockTimer } from './index.js';
import { outcome, pending } from './outcome.fixture.js';

function setup() {
  const clock = new ManualClock();
  return { clock, timer: new PeriodicTimer(1_000, { clock }) };
}

const boom = new Error('boom');

describe('the end of a wait for a PeriodicTimer', () => {
  it('P10 is the abort when that comes before a tick of the same instant, which is not lost', async () => {
    const { clock, timer } = setup();
    const controller = new AbortController();
    clock.schedule(1_000, () => controller.abort(boom));
    const wait = timer.waitForNextTick({ signal: controller.signal });
    await Promise.all([expect(wait).rejects.toBe(boom), clock.advance(1_000)]);
    expect(await outcome(timer.waitForNextTick())).toBe(true);
  });

  it('P10 is the abort when that comes before the tick is looked at, which is not lost', async () => {
    const { clock, timer } = setup();
    const controller = new AbortController();
    const wait = timer.waitForNextTick({ signal: controller.signal });
    controller.abort(boom);
    await Promise.all([expect(wait).rejects.toBe(boom), clock.advance(1_000)]);
    expect(await outcome(timer.waitForNextTick())).toBe(true);
  });

  it.each([
    ['an abort', boom, (_: PeriodicTimer, controller: AbortController) => controller.abort(boom)],
    ['disposal', false, (timer: PeriodicTimer) => timer.dispose()],
    ['a new period', pending, (timer: PeriodicTimer) => (timer.period = 500)],
  ])('P24 is no tick when %s comes just before it', async (_, expected, act) => {
    const { clock, timer } = setup();
    const controller = new AbortController();
    const wait = timer.waitForNextTick({ signal: controller.signal }).catch((error: unknown) => error);
    await clock.advance(999);
    act(timer, controller);
    await clock.advance(1);
    expect(await outcome(wait)).toBe(expected);
  });

  it('P24 is a tick for each period and no more, however often it is asked for', async () => {
    const { clock, timer } = setup();
    const ticks: number[] = [];
    for (let step = 0; step < 50; step++) {
      const controller = new AbortController();
      const wait = timer.waitForNextTick({ signal: controller.signal }).then(
        (ticked) => ticked && ticks.push(clock.monotonic()),
        (error: unknown) => expect(error).toBe(boom),
      );
      await clock.advance(100);
      controller.abort(boom);
      await wait;
    }
    expect(ticks).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  it('P23 knows nothing of the async context of whoever made the timer', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    class ObservedClock extends ManualClock {
      override schedule(delayMs: number, callback: () => void): ClockTimer {
        seen.push(`armed by the ${context.getStore()}`);
        return super.schedule(delayMs, callback);
      }
    }
    const clock = new ObservedClock();
    const timer = context.run('maker', () => new PeriodicTimer(1_000, { clock }));
    const loop = context.run('waiter', async () => {
      while (await timer.waitForNextTick()) seen.push(`tick of the ${context.getStore()}`);
      seen.push(`end of the ${context.getStore()}`);
    });
    await context.run('clock', () => clock.advance(2_000));
    context.run('disposer', () => timer.dispose());
    await loop;
    const [armed, tick] = ['armed by the waiter', 'tick of the waiter'];
    expect(seen).toEqual([armed, tick, armed, tick, armed, 'end of the waiter']);
  });
});
