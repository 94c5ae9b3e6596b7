import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../../test/long-runs.js';
import { setup } from './queue.fixture.js';

const step = fc.oneof(
  fc.record({
    kind: fc.constant('enqueue' as const),
    key: fc.constantFrom(undefined, 'a', 'b', 'c'),
    lasts: fc.nat(300),
    fails: fc.boolean(),
    priority: fc.integer({ min: -1, max: 1 }),
    delay: fc.constantFrom(undefined, 50),
  }),
  fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat(50) }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(200) }),
  fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const) }),
);

const setting = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  capacity: fc.integer({ min: 0, max: 5 }),
  max: fc.integer({ min: 1, max: 4 }),
  limits: fc.record({
    a: fc.integer({ min: 1, max: 3 }),
    b: fc.integer({ min: 1, max: 3 }),
    c: fc.constant(1),
  }),
});

const perMs = 100;

describe('a queue with a rate limit and concurrency keys', longTimeout, () => {
  it('never begins too many in any stretch, never runs too many of a key, and runs all in the end', async () => {
    await fc.assert(
      fc.asyncProperty(setting, fc.array(step, { maxLength: 60, size: 'max' }), async (given, steps) => {
        const { concurrency, capacity, max, limits } = given;
        const { queue, clock } = setup({ concurrency, capacity, rateLimit: { max, per: perMs } });
        const begins: number[] = [];
        const running = new Map<string | undefined, number>();
        const most = new Map<string | undefined, number>();
        const handles: Awaited<ReturnType<typeof queue.enqueue>>[] = [];
        const isOf = (key: string | undefined, by: number): void => {
          const now = (running.get(key) ?? 0) + by;
          running.set(key, now);
          most.set(key, Math.max(now, most.get(key) ?? 0));
        };
        for (const each of steps) {
          if (each.kind === 'enqueue') {
            const { key, lasts, fails, priority, delay } = each;
            const work = async (): Promise<void> => {
              begins.push(clock.monotonic());
              isOf(key, 1);
              if (lasts > 0) await new Promise<void>((resolve) => void clock.schedule(lasts, resolve));
              isOf(key, -1);
              if (fails) throw new Error('broken');
            };
            const concurrencyKey = key && { key, limit: limits[key] };
            const retry = { maxAttempts: 2, backoff: { delayMs: () => 30 } };
            void queue
              .enqueue(work, { concurrencyKey, priority, delay, retry })
              .then((handle) => handles.push(handle));
          } else if (each.kind === 'cancel') await handles[each.pick]?.cancel();
          else if (each.kind === 'advance') await clock.advance(each.ms);
          else await queue[each.kind]();
        }
        await queue.resume();
        const total = steps.filter(({ kind }) => kind === 'enqueue').length;
        // Two attempts of each, one after the other, with the rate and the backoff between any two.
        for (let i = 0; i < total * 2 + 2; i += 1) await clock.advance(300 + perMs + 30);

        expect([handles.length, queue.size, queue.active, queue.scheduled]).toEqual([total, 0, 0, 0]);
        for (const handle of handles)
          expect(['completed', 'dead', 'cancelled']).toContain(await handle.state());
        for (let i = max; i < begins.length; i += 1)
          expect(begins[i]! - begins[i - max]!).toBeGreaterThanOrEqual(perMs);
        for (const [key, limit] of Object.entries(limits))
          expect(most.get(key) ?? 0).toBeLessThanOrEqual(limit);
        await queue.whenIdle();
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: runs(100) },
    );
  });
});
