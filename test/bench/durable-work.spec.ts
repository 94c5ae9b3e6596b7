import { describe, expect, it } from 'vitest';
import { byCallers, callers, durably, payload } from '../../bench/durable-work.js';

describe('the callers', () => {
  it('are all at it at once, each with one call, and make as many calls as they are to', async () => {
    let calls = 0;
    let open = 0;
    let most = 0;
    await byCallers(callers * 2 + 1, async () => {
      calls += 1;
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      open -= 1;
    });
    expect({ calls, most, open }).toEqual({ calls: callers * 2 + 1, most: callers, open: 0 });
  });

  it('are fewer when there are fewer calls to make', async () => {
    let calls = 0;
    await byCallers(3, async () => void (calls += 1));
    expect(calls).toBe(3);
  });
});

describe('durable work', () => {
  it('is cleared away after each sample', async () => {
    const log: string[] = [];
    const run = async (amount: number): Promise<void> => void log.push(`run ${amount}`);
    const clear = async (): Promise<void> => void log.push('clear');
    const { sample } = durably(7, run, { clear, close: async () => {} });
    expect(await sample()).toBeGreaterThan(0);
    expect(log).toEqual(['run 7', 'clear']);
  });

  it('has a payload of about 190 bytes', () => {
    expect(Math.abs(JSON.stringify(payload).length - 190)).toBeLessThan(10);
  });
});
