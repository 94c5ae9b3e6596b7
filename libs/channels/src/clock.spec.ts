import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.js';

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells the time of the wall and of the machine', () => {
    const [now, monotonic] = [systemClock.now(), systemClock.monotonic()];
    expect(now).toBe(Date.now());
    vi.advanceTimersByTime(5);
    expect(systemClock.now() - now).toBe(5);
    expect(systemClock.monotonic() - monotonic).toBeCloseTo(5);
  });

  it('calls back once, when the delay is over', () => {
    const callback = vi.fn<() => void>();
    systemClock.schedule(1_000, callback);
    vi.advanceTimersByTime(999);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(10_000);
    expect(callback).toHaveBeenCalledOnce();
  });

  it('never calls back early when the delay is no whole number', () => {
    const callback = vi.fn<() => void>();
    systemClock.schedule(1.2, callback);
    vi.advanceTimersByTime(1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  it('arms once for a delay that is no whole number', () => {
    const arm = vi.spyOn(globalThis, 'setTimeout');
    const timer = systemClock.schedule(1.2, () => {});
    expect(arm.mock.calls.map(([, delayMs]) => delayMs)).toEqual([2]);
    timer.cancel();
    arm.mockRestore();
  });

  it('waits on when the platform calls early', () => {
    const start = performance.now();
    const monotonic = vi.spyOn(performance, 'now').mockReturnValue(start);
    const callback = vi.fn<() => void>();
    systemClock.schedule(10, callback);
    monotonic.mockReturnValue(start + 9.4);
    vi.advanceTimersByTime(10);
    expect(callback).not.toHaveBeenCalled();
    monotonic.mockReturnValue(start + 10.4);
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
    monotonic.mockRestore();
  });

  it('waits in stages for longer than the platform can', () => {
    const callback = vi.fn<() => void>();
    const sixtyDays = 60 * 86_400_000;
    systemClock.schedule(sixtyDays, callback);
    vi.advanceTimersByTime(sixtyDays - 1);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([0, -5])('takes a delay of %s as the next opportunity', (delayMs) => {
    const callback = vi.fn<() => void>();
    systemClock.schedule(delayMs, callback);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  it('does not call back once cancelled, and cancelling again is harmless', () => {
    const callback = vi.fn<() => void>();
    const timer = systemClock.schedule(10, callback);
    timer.cancel();
    timer.cancel();
    vi.advanceTimersByTime(20);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([Number.NaN, Infinity])('refuses a delay of %s', (delayMs) => {
    expect(() => systemClock.schedule(delayMs, () => {})).toThrow(
      expect.objectContaining({
        code: 'ARGUMENT_OUT_OF_RANGE',
        argument: 'delayMs',
        message: `delayMs must be a finite number, but got ${delayMs}.`,
      }),
    );
  });
});
