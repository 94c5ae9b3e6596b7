import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { StoppingError } from '../errors.js';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent } from '../events/events.js';
import { BackgroundContext } from '../scopes/background-context.js';
import { ServiceScopeFactory, type ServiceScope } from '../scopes/scope.js';
import { TickExecution, type TickExecutionDependencies, type TickWork } from './tick-execution.js';

class FakeScopes extends ServiceScopeFactory {
  readonly log: unknown[] = [];

  constructor(private readonly disposal: () => Promise<void>) {
    super();
  }

  createScope(context?: object): ServiceScope {
    this.log.push(context);
    return {
      contextId: { id: 1 },
      resolve: () => Promise.reject(new Error('not used')),
      [Symbol.asyncDispose]: async () => {
        this.log.push('disposed');
        await this.disposal();
      },
    };
  }
}

interface Overrides extends Partial<Pick<TickExecutionDependencies, 'wrap'>> {
  timeoutMs?: number;
  listen?: boolean;
  disposal?: () => Promise<void>;
}

const scheduledAt = new Date('2025-12-31T23:59:59Z');

function setup(
  work: TickWork,
  { timeoutMs, listen = true, disposal = async () => {}, wrap }: Overrides = {},
) {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const seen: BackgroundEvent[] = [];
  if (listen) events.stream.subscribe((event) => seen.push(event));
  const scopes = new FakeScopes(disposal);
  const stop = new AbortController();
  const dependencies = { name: 'a', work, clock, events, scopes, wrap };
  const about = { scheduledAt, count: 3, missed: 2 };
  const execution = new TickExecution(dependencies, stop.signal, timeoutMs, about);
  const types = () => seen.map(({ type }) => type);
  return { clock, events, seen, types, scopes, stop, execution, log: scopes.log };
}

const untilAborted: TickWork = (signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('TickExecution', () => {
  it('gives the work its signal and a context, which is also the ambient one', async () => {
    const given: unknown[] = [];
    const { execution, stop } = setup((signal, tick) => {
      given.push(signal, tick, BackgroundContext.current());
    });
    await execution.run();
    expect(given).toEqual([stop.signal, execution.tick, execution.tick]);
    expect(execution.tick).toMatchObject({
      service: 'a',
      scheduledAt,
      count: 3,
      missed: 2,
      signal: stop.signal,
    });
    expect(execution.tick.startedAt).toEqual(new Date('2026-01-01'));
    expect(execution.tick.id).toBe(execution.tick.id);
  });

  it('runs the work inside the wrap', async () => {
    const order: unknown[] = [];
    const { execution } = setup(() => void order.push('work'), {
      wrap: async (context, run) => {
        order.push(context);
        const result = await run();
        order.push('after');
        return result;
      },
    });
    await execution.run();
    expect(order).toEqual([execution.tick, 'work', 'after']);
  });

  it('completed: tells the duration, and nothing of an error', async () => {
    let end!: () => void;
    const { execution, clock, seen } = setup(() => new Promise<void>((resolve) => (end = resolve)));
    await clock.advance(1_000);
    const run = execution.run();
    await clock.advance(250);
    end();
    expect(await run).toEqual({
      id: execution.tick.id,
      scheduledAt,
      startedAt: new Date('2026-01-01'),
      endedAt: new Date('2026-01-01T00:00:01.250Z'),
      outcome: 'completed',
    });
    expect(seen.map(({ type }) => type)).toEqual(['tick.started', 'tick.completed']);
    expect(seen[1]).toMatchObject({ service: 'a', tickId: execution.tick.id, durationMs: 250 });
    expect(seen[1]).not.toHaveProperty('error');
  });

  it.each<[string, TickWork]>([
    [
      'at once',
      () => {
        throw new Error('no');
      },
    ],
    ['later', () => Promise.reject(new Error('no'))],
  ])('failed: when the work throws %s', async (_when, work) => {
    const { execution, types } = setup(work);
    expect(await execution.run()).toMatchObject({ outcome: 'failed', error: new Error('no') });
    expect(types()).toEqual(['tick.started', 'tick.failed']);
  });

  it('failed: when the wrap throws', async () => {
    const { execution } = setup(() => {}, {
      wrap: () => {
        throw new Error('wrap');
      },
    });
    expect(await execution.run()).toMatchObject({ outcome: 'failed', error: new Error('wrap') });
  });

  it.each([
    ['its reason', undefined],
    ['another AbortError', new DOMException('aborted', 'AbortError')],
  ])('cancelled: when the work rejects with %s after the stop', async (_what, error) => {
    const { execution, stop, types } = setup((signal, tick) =>
      Promise.resolve(untilAborted(signal, tick)).catch((reason: unknown) => Promise.reject(error ?? reason)),
    );
    const run = execution.run();
    await Promise.resolve(); // it has begun
    stop.abort(new StoppingError('a'));
    const record = await run;
    expect(record).toMatchObject({ outcome: 'cancelled' });
    expect(record).not.toHaveProperty('error');
    expect(types()).toEqual(['tick.started', 'tick.cancelled']);
  });

  it('failed: when the work rejects with anything else after the stop, or with an AbortError before', async () => {
    const after = setup((signal, tick) =>
      Promise.resolve(untilAborted(signal, tick)).catch(() => Promise.reject(new Error('cannot save'))),
    );
    const run = after.execution.run();
    await Promise.resolve();
    after.stop.abort();
    expect(await run).toMatchObject({ outcome: 'failed', error: new Error('cannot save') });
    const before = setup(() => Promise.reject(new DOMException('aborted', 'AbortError')));
    expect(await before.execution.run()).toMatchObject({ outcome: 'failed' });
  });

  it('cancelled: without calling the work when the stop comes before it has begun', async () => {
    const calls: unknown[] = [];
    const { execution, stop, types } = setup((signal) => void calls.push(signal), { timeoutMs: 1_000 });
    const run = execution.run();
    stop.abort();
    expect(await run).toMatchObject({ outcome: 'cancelled' });
    expect(calls).toEqual([]);
    expect(types()).toEqual(['tick.started', 'tick.cancelled']);
  });

  it('timedOut: when the work heeds the timeout', async () => {
    const { execution, clock, seen, types } = setup(untilAborted, { timeoutMs: 1_000 });
    const run = execution.run();
    await clock.advance('1s');
    expect(await run).toMatchObject({
      outcome: 'timedOut',
      error: { code: 'TICK_TIMED_OUT', timeoutMs: 1_000 },
    });
    expect(types()).toEqual(['tick.started', 'tick.timedOut', 'tick.failed']);
    expect(seen[1]).toMatchObject({ service: 'a', tickId: execution.tick.id, scheduledAt, timeoutMs: 1_000 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('timedOut: with the timeout as its error when the work rejects with another AbortError because of it', async () => {
    const { execution, clock } = setup(
      (signal, tick) =>
        Promise.resolve(untilAborted(signal, tick)).catch(() =>
          Promise.reject(new DOMException('aborted', 'AbortError')),
        ),
      { timeoutMs: 1_000 },
    );
    const run = execution.run();
    await clock.advance('1s');
    expect(await run).toMatchObject({ outcome: 'timedOut', error: { code: 'TICK_TIMED_OUT' } });
  });

  it('timedOut: when the work ignores the timeout and ends later', async () => {
    let end!: () => void;
    const { execution, clock, seen } = setup(() => new Promise<void>((resolve) => (end = resolve)), {
      timeoutMs: 1_000,
    });
    const run = execution.run();
    await clock.advance('3s');
    end();
    expect(await run).toMatchObject({ outcome: 'timedOut' });
    expect(seen.at(-1)).toMatchObject({
      type: 'tick.failed',
      durationMs: 3_000,
      error: { code: 'TICK_TIMED_OUT' },
    });
  });

  it('failed: with its own error, when the work throws that because of the timeout', async () => {
    const { execution, clock } = setup(
      (signal, tick) =>
        Promise.resolve(untilAborted(signal, tick)).catch(() => Promise.reject(new Error('own'))),
      { timeoutMs: 1_000 },
    );
    const run = execution.run();
    await clock.advance('1s');
    expect(await run).toMatchObject({ outcome: 'failed', error: new Error('own') });
  });

  it('cancelled: when the stop comes before the timeout, which is then disarmed', async () => {
    const { execution, clock, stop } = setup(untilAborted, { timeoutMs: 1_000 });
    const run = execution.run();
    await Promise.resolve();
    stop.abort();
    expect(await run).toMatchObject({ outcome: 'cancelled' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves no timer armed when the work ends before the timeout', async () => {
    const { execution, clock } = setup(() => {}, { timeoutMs: 1_000 });
    await execution.run();
    expect(clock.pendingTimers).toBe(0);
  });

  it('makes no scope when the work asks for none', async () => {
    const { execution, log } = setup(() => {});
    await execution.run();
    expect(log).toEqual([]);
  });

  it.each([() => {}, () => Promise.reject(new Error('no'))])(
    'disposes the scope before the outcome is told, whether or not the work fails',
    async (end) => {
      const { execution, log, seen } = setup(
        (_signal, tick) => {
          expect(tick.scope).toBe(tick.scope);
          return end();
        },
        { disposal: async () => void log.push(seen.length) },
      );
      await execution.run();
      expect(log).toEqual([execution.tick, 'disposed', 1]);
      expect(seen).toHaveLength(2);
    },
  );

  it('is completed, and says what went wrong, when the scope fails to dispose', async () => {
    const { execution, seen } = setup((_signal, tick) => void tick.scope, {
      disposal: () => Promise.reject(new Error('disposal')),
    });
    expect(await execution.run()).toMatchObject({ outcome: 'completed' });
    expect(seen[1]).toMatchObject({
      type: 'scope.disposeFailed',
      owner: "a tick of service 'a'",
      error: new Error('disposal'),
    });
  });

  it.each(['tick.started', 'tick.completed'] as const)(
    'tells %s when only that is listened to',
    async (type) => {
      const { execution, events } = setup(() => {}, { listen: false });
      const heard: unknown[] = [];
      events.on(type, (event) => heard.push(event));
      await execution.run();
      expect(heard).toMatchObject([{ type, service: 'a', tickId: execution.tick.id }]);
    },
  );

  it('runs the same when nobody listens', async () => {
    const { execution, seen, stop } = setup(untilAborted, { listen: false });
    const run = execution.run();
    await Promise.resolve();
    stop.abort();
    expect(await run).toMatchObject({ outcome: 'cancelled' });
    expect(seen).toEqual([]);
  });
});
