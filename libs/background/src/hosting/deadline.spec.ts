import { getEventListeners } from 'node:events';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { Deadline, endedBy } from './deadline.js';

function setup(afterMs: number, linked: readonly (AbortSignal | undefined)[] = []) {
  const clock = new ManualClock();
  const deadline = new Deadline(clock, afterMs, () => 'time is up', linked);
  return { clock, deadline };
}

describe('Deadline', () => {
  it('aborts with its reason when the time is up', async () => {
    const { clock, deadline } = setup(1_000);
    await clock.advance(999);
    expect(deadline.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.signal.reason).toBe('time is up');
    expect(deadline.expired).toBe(true);
  });

  it('arms no timer when the time is infinite', () => {
    const { clock, deadline } = setup(Number.POSITIVE_INFINITY);
    expect(clock.pendingTimers).toBe(0);
    expect(deadline.signal.aborted).toBe(false);
  });

  it('passes on the first abort of a linked signal and disarms when one comes before the time', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { clock, deadline } = setup(1_000, [undefined, first.signal, second.signal]);
    second.abort('second');
    first.abort('first');
    expect(deadline.signal.reason).toBe('second');
    expect(deadline.expired).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is aborted from the beginning and arms nothing when a linked signal already is', () => {
    const { clock, deadline } = setup(1_000, [AbortSignal.abort('before'), new AbortController().signal]);
    expect(deadline.signal.reason).toBe('before');
    expect(clock.pendingTimers).toBe(0);
  });

  it('is aborted by nothing any more when disposed', () => {
    const linked = new AbortController();
    const { clock, deadline } = setup(1_000, [linked.signal]);
    deadline[Symbol.dispose]();
    linked.abort();
    expect(deadline.signal.aborted).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});

const listeners = (...linked: AbortController[]) =>
  linked.flatMap(({ signal }) => getEventListeners(signal, 'abort'));

describe('What a deadline leaves on the signals linked to it', () => {
  it('is nothing when the time is up', async () => {
    const linked = new AbortController();
    const { clock } = setup(1_000, [linked.signal]);
    expect(listeners(linked)).toHaveLength(1);
    await clock.advance(1_000);
    expect(listeners(linked)).toEqual([]);
  });

  it('is nothing when one of them is aborted, now or before', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    setup(1_000, [first.signal, second.signal]);
    first.abort();
    expect(listeners(first, second)).toEqual([]);
    setup(1_000, [first.signal, second.signal]);
    expect(listeners(first, second)).toEqual([]);
  });

  it('is nothing when it is disposed, once or twice', () => {
    const linked = new AbortController();
    const { deadline } = setup(1_000, [linked.signal]);
    deadline[Symbol.dispose]();
    deadline[Symbol.dispose]();
    expect(listeners(linked)).toEqual([]);
  });
});

describe('endedBy', () => {
  const never = new Promise<void>(() => {});

  it('leaves no listener on the signal when the work has ended, well or not', async () => {
    const { signal } = new AbortController();
    for (const work of [Promise.resolve(), Promise.reject(new Error('no'))]) {
      await endedBy(work, signal).catch(() => {});
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    }
  });

  it('waits for the work when the signal is not aborted', async () => {
    expect(await endedBy(Promise.resolve(), new AbortController().signal)).toBe(true);
  });

  it('gives up when the work ignores the signal', async () => {
    const controller = new AbortController();
    const ended = endedBy(never, controller.signal);
    controller.abort();
    expect(await ended).toBe(false);
    expect(await endedBy(never, controller.signal)).toBe(false);
  });

  it('still sees the end of work that heeds the signal', async () => {
    const controller = new AbortController();
    const work = new Promise<void>((resolve) =>
      controller.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    const ended = endedBy(work, controller.signal);
    controller.abort();
    expect(await ended).toBe(true);
  });

  it('waits one turn more for work that itself waits a turn, when told to', async () => {
    const inner = endedBy(never, AbortSignal.abort());
    expect(
      await endedBy(
        inner.then(() => endedBy(never, AbortSignal.abort())),
        AbortSignal.abort(),
      ),
    ).toBe(false);
    const again = endedBy(never, AbortSignal.abort()).then(() => endedBy(never, AbortSignal.abort()));
    expect(await endedBy(again, AbortSignal.abort(), 3)).toBe(true);
  });

  it('rejects when the work does', async () => {
    await expect(endedBy(Promise.reject(new Error('no')), new AbortController().signal)).rejects.toThrow(
      'no',
    );
  });
});
