import { describe, expect, it, vi } from 'vitest';
import { busy, untilFree, untilNoClash } from './clash.js';

const coded = (code: string): Error => Object.assign(new Error(code), { code });

describe('untilNoClash', () => {
  it.each(['40P01', '40001', '55P03'])('tries again after %s, and gives what comes of it', async (code) => {
    const run = vi.fn<() => Promise<string>>().mockRejectedValueOnce(coded(code)).mockResolvedValue('done');
    await expect(untilNoClash(run)).resolves.toBe('done');
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('gives up after some times', async () => {
    const run = vi.fn<() => Promise<string>>().mockRejectedValue(coded('40P01'));
    await expect(untilNoClash(run)).rejects.toThrow('40P01');
    expect(run).toHaveBeenCalledTimes(4);
  });

  it('lets any other error pass at once', async () => {
    const run = vi.fn<() => Promise<string>>().mockRejectedValue(coded('23505'));
    await expect(untilNoClash(run)).rejects.toThrow('23505');
    expect(run).toHaveBeenCalledOnce();
  });
});

it('untilFree says when somebody was in the way before', async () => {
  const run = vi
    .fn<(wasBusy: boolean) => Promise<string | typeof busy>>()
    .mockResolvedValueOnce(busy)
    .mockResolvedValue('done');
  await expect(untilFree(run)).resolves.toBe('done');
  expect(run.mock.calls).toEqual([[false], [true]]);
});
