import { describe, expect, it } from 'vitest';
import { startWatch } from '../../bench/stopwatch.js';

describe('startWatch', () => {
  it('leaves out the time in line for a processor when the machine was busy', () => {
    const waited = [30, 70];
    const now = [1_000, 1_100];
    const elapsed = startWatch(
      () => waited.shift()!,
      () => now.shift()!,
    );
    expect(elapsed()).toBe(60);
  });

  it('tells no more than what the clock on the wall says when it reads the system', () => {
    const begunAt = performance.now();
    const elapsed = startWatch();
    while (performance.now() < begunAt + 5);
    const measured = elapsed();
    expect(measured).toBeGreaterThan(0);
    expect(measured).toBeLessThanOrEqual(performance.now() - begunAt);
  });
});
