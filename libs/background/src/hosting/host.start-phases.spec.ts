import { describe, expect, it } from 'vitest';
import { StartupTimeoutError, StoppingError } from '../errors.js';
import { errorOf } from '../error-of.fixture.js';
import { gate, isSettled } from '../gate.fixture.js';
import { inOrder, setup } from './host.fixture.js';
import { untilAborted } from './long-running-service.fixture.js';
import { givingUp, nowAndLater, throwing } from './throwing.fixture.js';

const startHooks = ['starting', 'start', 'started'] as const;
const inBothModes = startHooks.flatMap((hook) =>
  [false, true].map((servicesStartConcurrently) => ({ hook, servicesStartConcurrently })),
);
const whenever = startHooks.flatMap((hook) => nowAndLater.map((when) => ({ hook, when })));
const concurrent = { servicesStartConcurrently: true };

const phaseOf = (call: string): string => call.split('.')[1]!;

describe('The phases of a start', () => {
  it.each(inBothModes)(
    'H5 the signal of $hook is aborted when stopApplication is called, concurrently $servicesStartConcurrently',
    async ({ hook, servicesStartConcurrently }) => {
      const { add, host, clock, lifetime } = setup({ servicesStartConcurrently });
      const reasons: unknown[] = [];
      const untilTheEnd = async (signal: AbortSignal) => {
        await untilAborted(signal);
        reasons.push(signal.reason);
      };
      add('a', { [hook]: untilTheEnd });
      const start = host.start();
      expect(await isSettled(start, clock)).toBe(false);
      lifetime.stopApplication();
      await start;
      expect(reasons).toEqual([expect.any(StoppingError)]);
    },
  );

  it.each(inBothModes)(
    'H9 no service goes on until every one has ended $hook, concurrently $servicesStartConcurrently',
    async ({ hook, servicesStartConcurrently }) => {
      const { add, host, calls, clock } = setup({ servicesStartConcurrently });
      const { opened, open } = gate();
      add('a');
      add('b', { [hook]: () => opened });
      const start = host.start();
      await clock.advance(0);
      const later = [...startHooks, 'begin'].slice(startHooks.indexOf(hook) + 1);
      const callsOfLater = () => calls.filter((call) => later.includes(phaseOf(call)));
      expect(calls).toContain(`a.${hook}`);
      expect(callsOfLater()).toEqual([]);
      open();
      await start;
      expect(callsOfLater()).toHaveLength(2 * later.length);
    },
  );

  it.each(startHooks)('H12 each %s is run in order up to its first wait when concurrent', async (hook) => {
    const { add, host, clock } = setup(concurrent);
    const { order, open, wait } = inOrder();
    for (const name of ['a', 'b', 'c']) add(name, { [hook]: wait(name) });
    const start = host.start();
    await clock.advance(0);
    expect(order).toEqual(['a begins', 'b begins', 'c begins']);
    open();
    await start;
    expect(order.slice(3)).toEqual(['a ends', 'b ends', 'c ends']);
  });
});

describe('A start that fails', () => {
  it.each(whenever)(
    'H13 H15 H16 H18 nothing more is started, and the error is thrown as it is, when $hook throws $when',
    async ({ hook, when }) => {
      const { add, host, calls, lifetime } = setup();
      const error = new Error('no');
      add('a', { [hook]: throwing(error, when) });
      add('b');
      expect(await errorOf(host.start())).toBe(error);
      expect(calls).not.toContain(`b.${hook}`);
      const later = startHooks.slice(startHooks.indexOf(hook) + 1) as readonly string[];
      expect(calls.filter((call) => later.includes(phaseOf(call)))).toEqual([]);
      expect([lifetime.started.aborted, lifetime.stopping.aborted]).toEqual([false, false]);
    },
  );

  it.each(whenever)(
    'H14 H15 H16 H18 every $hook is called, and no later phase, when several throw $when and concurrently',
    async ({ hook, when }) => {
      const { add, host, calls, lifetime } = setup(concurrent);
      const errors = [new Error('one'), new Error('two')] as const;
      add('a', { [hook]: throwing(errors[0], when) });
      add('b', { [hook]: throwing(errors[1], when) });
      add('c');
      const thrown = (await errorOf(host.start())) as AggregateError;
      expect(thrown).toBeInstanceOf(AggregateError);
      expect(thrown.errors).toHaveLength(2);
      for (const [index, error] of errors.entries()) expect(thrown.errors[index]).toBe(error);
      expect(calls).toContain(`c.${hook}`);
      const later = startHooks.slice(startHooks.indexOf(hook) + 1) as readonly string[];
      expect(calls.filter((call) => later.includes(phaseOf(call)))).toEqual([]);
      expect([lifetime.started.aborted, lifetime.stopping.aborted]).toEqual([false, false]);
    },
  );

  it.each(whenever)(
    'H15 H16 the error is thrown as it is when one $hook of several throws $when and concurrently',
    async ({ hook, when }) => {
      const { add, host } = setup(concurrent);
      const error = new Error('no');
      add('a');
      add('b', { [hook]: throwing(error, when) });
      expect(await errorOf(host.start())).toBe(error);
    },
  );

  it('H19 what is still starting is waited for, then stopped with the others, when one fails concurrently', async () => {
    const { add, host, calls, clock } = setup(concurrent);
    const { opened, open } = gate();
    add('a');
    add('b', { start: throwing(new Error('no'), 'now') });
    add('c', { start: () => opened });
    const failed = errorOf(host.start());
    expect(await isSettled(failed, clock)).toBe(false);
    open();
    expect(await failed).toEqual(new Error('no'));
    const stops = calls.filter((call) => call.includes('.stop'));
    expect(stops.join(' ')).toBe('c.stopping a.stopping c.stop a.stop c.stopped a.stopped');
  });

  it('H21 no service that never started hears of it when stop follows a failed start', async () => {
    const { add, host, calls } = setup();
    add('a');
    add('b', { start: throwing(new Error('no'), 'now') });
    add('c');
    expect(await errorOf(host.start())).toEqual(new Error('no'));
    await host.stop();
    const stops = calls.filter((call) => call.includes('.stop'));
    expect(stops).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
  });

  it('H30 an AbortError that the signal did not ask for is a failure when it comes at once and concurrently', async () => {
    const { add, host } = setup(concurrent);
    const error = new DOMException('the connection was cut', 'AbortError');
    add('a', { start: () => Promise.reject(error) });
    add('b');
    expect(await errorOf(host.start())).toBe(error);
  });

  it('H31 one error says that the time was up when several hooks give up because of it', async () => {
    const { add, host, clock } = setup({ ...concurrent, startupTimeout: '1s' });
    add('a', { start: givingUp });
    add('b', { start: givingUp });
    const failed = errorOf(host.start());
    await clock.advance('1s');
    const error = await failed;
    expect(error).toBeInstanceOf(StartupTimeoutError);
    expect((error as Error).cause).toBeUndefined();
  });

  it('H31 only failures are the cause when other hooks give up because the time was up', async () => {
    const { add, host, clock } = setup({ ...concurrent, startupTimeout: '1s' });
    const [first, second] = [new Error('one'), new Error('two')];
    add('a', { start: throwing(first, 'now') });
    add('b', { start: givingUp });
    add('c', { start: (signal) => untilAborted(signal).then(() => Promise.reject(second)) });
    const failed = errorOf(host.start());
    await clock.advance('1s');
    expect(await failed).toMatchObject({ code: 'STARTUP_TIMED_OUT', cause: { errors: [first, second] } });
  });

  it('H31 only the failure is thrown when other hooks give up because of the stop', async () => {
    const { add, host, clock, lifetime } = setup(concurrent);
    const failure = new Error('lost the connection');
    add('a', { start: givingUp });
    add('b', { start: (signal) => untilAborted(signal).then(() => Promise.reject(failure)) });
    const failed = errorOf(host.start());
    await clock.advance(0);
    lifetime.stopApplication();
    expect(await failed).toBe(failure);
  });
});

describe('A stop in the middle of the start', () => {
  it.each(inBothModes)(
    'H28 no further hook is called when $hook asks for it, concurrently $servicesStartConcurrently',
    async ({ hook, servicesStartConcurrently }) => {
      const { add, host, calls, lifetime } = setup({ servicesStartConcurrently });
      add('a', { [hook]: () => lifetime.stopApplication() });
      add('b');
      await host.start();
      expect(calls.at(-1)).toBe(`a.${hook}`);
      expect(lifetime.started.aborted).toBe(false);
    },
  );
});

describe('A start after the stop', () => {
  it('H29 starts nothing again, and changes nothing', async () => {
    const { add, host, calls, lifetime } = setup();
    const service = add('a');
    const first = host.start();
    await first;
    await host.stop();
    calls.length = 0;
    expect(host.start()).toBe(first);
    await first;
    expect(calls).toEqual([]);
    expect(service.state).toBe('stopped');
    expect([lifetime.started.aborted, lifetime.stopped.aborted]).toEqual([true, true]);
  });
});
