import { describe, expect, it } from 'vitest';
import { StartupTimeoutError, StoppingError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import { failing, hooks, setup } from './host.fixture.js';

/** A hook that honours its signal. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

async function failingLater(): Promise<void> {
  await Promise.resolve();
  throw new Error('late');
}

describe('BackgroundHost.start', () => {
  it.each([false, true])(
    'H1 H9 H26 hooks run phase by phase, then started is signalled, when concurrently is %s',
    async (servicesStartConcurrently) => {
      const { add, host, calls, lifetime } = setup({ servicesStartConcurrently });
      lifetime.started.addEventListener('abort', () => calls.push('signalled'));
      add('a');
      add('b');
      await host.start();
      expect(calls.join(' ')).toBe(
        'a.starting b.starting a.start b.start a.started b.started signalled a.begin b.begin',
      );
    },
  );

  it.each(['starting', 'start', 'started'] as const)(
    'H10 H11 a service waits for the %s of the one before when sequential',
    async (hook) => {
      const { add, host, calls, clock } = setup();
      const { opened, open } = gate();
      add('a', { [hook]: () => opened });
      add('b');
      const start = host.start();
      await clock.advance(0);
      expect(calls).toContain(`a.${hook}`);
      expect(calls).not.toContain(`b.${hook}`);
      open();
      await start;
      expect(calls).toContain(`b.${hook}`);
    },
  );

  it('H12 hooks are called in order up to their first wait when concurrent', async () => {
    const { add, host, calls } = setup({ servicesStartConcurrently: true });
    const { opened, open } = gate();
    add('a', { starting: () => opened });
    add('b', { starting: () => opened });
    const start = host.start();
    expect(calls).toEqual(['a.starting', 'b.starting']);
    open();
    await start;
  });

  it.each(['starting', 'start', 'started'] as const)(
    'H13 H18 later hooks and phases are skipped when %s throws',
    async (hook) => {
      const { add, host, calls, lifetime } = setup();
      add('a', { [hook]: failing('no') });
      add('b');
      await expect(host.start()).rejects.toThrow('no');
      const index = hooks.indexOf(hook);
      const expected = hooks.slice(0, index).flatMap((phase) => [`a.${phase}`, `b.${phase}`]);
      expect(calls.slice(0, expected.length + 1)).toEqual([...expected, `a.${hook}`]);
      expect(calls).not.toContain(`b.${hook}`);
      expect(lifetime.started.aborted).toBe(false);
      expect(lifetime.stopping.aborted).toBe(false);
    },
  );

  it('H14 H15 every hook is called and all errors are collected when several fail concurrently', async () => {
    const { add, host, calls } = setup({ servicesStartConcurrently: true });
    add('a', { start: failing('one') });
    add('b', { start: failingLater });
    add('c');
    const error: unknown = await host.start().catch((reason: unknown) => reason);
    expect((error as AggregateError).errors).toEqual([new Error('one'), new Error('late')]);
    expect(calls).toContain('c.start');
    expect(calls).not.toContain('c.started');
  });

  it.each([false, true])(
    'H15 H16 a single error is thrown as it is, now or later, when concurrently is %s',
    async (servicesStartConcurrently) => {
      for (const start of [failing('late'), failingLater]) {
        const { add, host } = setup({ servicesStartConcurrently });
        add('a', { start });
        await expect(host.start()).rejects.toEqual(new Error('late'));
      }
    },
  );

  it('says how many services are to start, which have started, and how long that took', async () => {
    const { add, host, clock, seen } = setup();
    const { opened, open } = gate();
    add('a', { start: () => opened });
    add('b');
    add('off', {}, false);
    await clock.advance('1h');
    const start = host.start();
    await clock.advance(250);
    open();
    await start;
    expect(seen).toMatchObject([
      { type: 'host.starting', services: 2 },
      { type: 'host.started', services: ['a', 'b'], durationMs: 250 },
      { type: 'service.started', service: 'a' },
      { type: 'service.started', service: 'b' },
    ]);
  });

  it('says how many services failed to start when there are several', async () => {
    const { add, host } = setup({ servicesStartConcurrently: true });
    add('a', { start: failing('one') });
    add('b', { start: failing('two') });
    await expect(host.start()).rejects.toThrow('2 services failed to start.');
  });

  it('H17 a failed start is one event before what had started is stopped', async () => {
    const { add, host, types } = setup();
    add('a');
    add('b', { start: failing('no') });
    await expect(host.start()).rejects.toThrow('no');
    expect(types()).toEqual(['host.starting', 'host.startFailed', 'service.stopping', 'service.stopped']);
  });

  it('H19 what had started is stopped in reverse when a start fails, which .NET leaves running', async () => {
    const { add, host, calls } = setup();
    const states = [add('a'), add('b'), add('c', { start: failing('no') }), add('d')];
    await expect(host.start()).rejects.toThrow('no');
    expect(calls.slice(7).join(' ')).toBe('b.stopping a.stopping b.stop a.stop b.stopped a.stopped');
    expect(states.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'faulted', 'stopped']);
    expect(states[2]!.lastError).toEqual(new Error('no'));
  });

  it('H19 the error of the start is the one that is thrown when the rollback fails too', async () => {
    const { add, host, types } = setup();
    add('a', { stop: failing('stop') });
    add('b', { start: failing('start') });
    await expect(host.start()).rejects.toThrow('start');
    expect(types()).toContain('service.stopFailed');
  });

  it('H21 nothing is stopped a second time when stop follows a failed start', async () => {
    const { add, host, calls } = setup();
    add('a');
    add('b', { started: failing('no') });
    await expect(host.start()).rejects.toThrow('no');
    const before = calls.length;
    await host.stop();
    expect(calls).toHaveLength(before);
  });

  it('H22 H6 start succeeds when services ignore an elapsed startupTimeout', async () => {
    const { add, host, clock, lifetime } = setup({ startupTimeout: '1s' });
    const { opened, open } = gate();
    const aborted: boolean[] = [];
    add('a', { start: () => opened });
    add('b', { start: (signal) => void aborted.push(signal.aborted) });
    const start = host.start();
    await clock.advance('1s');
    open();
    await start;
    expect(aborted).toEqual([true]);
    expect(lifetime.started.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([false, true])(
    'H23 the start fails with StartupTimeoutError when a hook honours the timeout, concurrently %s',
    async (servicesStartConcurrently) => {
      for (const hook of ['starting', 'start', 'started'] as const) {
        const { add, host, clock } = setup({ startupTimeout: '1s', servicesStartConcurrently });
        const service = add('a', { [hook]: untilAborted });
        const start = host.start().catch((reason: unknown) => reason);
        await clock.advance('1s');
        const error = await start;
        expect(error).toBeInstanceOf(StartupTimeoutError);
        expect(error).not.toHaveProperty('cause');
        expect(service.state).toBe(hook === 'started' ? 'stopped' : 'faulted');
        expect(clock.pendingTimers).toBe(0);
      }
    },
  );

  it('H23 the reason of the signal is a StartupTimeoutError when the time is up', async () => {
    const { add, host, clock } = setup({ startupTimeout: '1s' });
    const reasons: unknown[] = [];
    add('a', {
      start: (signal) => untilAborted(signal).catch((reason: unknown) => void reasons.push(reason)),
    });
    const start = host.start();
    await clock.advance('1s');
    await start;
    expect(reasons).toEqual([expect.any(StartupTimeoutError)]);
    expect(reasons).toMatchObject([{ timeoutMs: 1_000 }]);
  });

  it('H23 StartupTimeoutError carries what a hook made of the timeout as its cause', async () => {
    const { add, host, clock } = setup({ startupTimeout: '1s' });
    add('a', { start: (signal) => untilAborted(signal).catch(failing('gave up')) });
    const start = host.start().catch((reason: unknown) => reason);
    await clock.advance('1s');
    expect(await start).toMatchObject({ code: 'STARTUP_TIMED_OUT', cause: new Error('gave up') });
  });

  it('H5 the start signal is aborted when stopApplication is called during start', async () => {
    const { add, host, clock, lifetime } = setup();
    const service = add('a', { start: untilAborted });
    const start = host.start();
    await clock.advance(0);
    lifetime.stopApplication();
    await start;
    expect(service.state).toBe('stopped');
    expect(service.lastError).toBeUndefined();
  });

  it.each([false, true])(
    'H28 nothing more is started when stopApplication is called during start, concurrently %s',
    async (servicesStartConcurrently) => {
      const { add, host, calls, lifetime, types } = setup({ servicesStartConcurrently });
      add('a', { starting: () => lifetime.stopApplication() });
      add('b');
      await host.start();
      expect(calls).toEqual(['a.starting']);
      expect(lifetime.started.aborted).toBe(false);
      expect(types()).toEqual(['host.starting', 'host.stopping']);
    },
  );

  it('H28 a real failure is thrown, not hidden by the stop, when it happens while the start is given up', async () => {
    const { add, host, clock, lifetime } = setup();
    add('a', {
      start: (signal) => untilAborted(signal).catch(() => Promise.reject(new Error('lost the connection'))),
    });
    const start = host.start().catch((reason: unknown) => reason);
    await clock.advance(0);
    lifetime.stopApplication();
    expect(await start).toEqual(new Error('lost the connection'));
  });

  it('H29 services are started once when start is called twice', async () => {
    const { add, host, calls } = setup();
    add('a');
    const first = host.start();
    expect(host.start()).toBe(first);
    await first;
    expect(calls.filter((call) => call === 'a.start')).toHaveLength(1);
  });

  it('nothing begins when a listener of started asks for the stop', async () => {
    const { add, host, calls, lifetime } = setup();
    lifetime.started.addEventListener('abort', () => lifetime.stopApplication());
    add('a');
    await host.start();
    expect(calls).toEqual(['a.starting', 'a.start', 'a.started']);
  });

  it('the signal of the start has the reason StoppingError when stopping is why it is aborted', async () => {
    const { add, host, clock, lifetime } = setup();
    const reasons: unknown[] = [];
    add('a', {
      start: (signal) => untilAborted(signal).catch((reason: unknown) => void reasons.push(reason)),
    });
    const start = host.start();
    await clock.advance(0);
    lifetime.stopApplication();
    await start;
    expect(reasons).toEqual([expect.any(StoppingError)]);
  });
});
