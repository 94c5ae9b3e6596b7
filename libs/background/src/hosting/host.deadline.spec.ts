import { describe, expect, it } from 'vitest';
import { StoppingError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import { failing, setup } from './host.fixture.js';
import type { HostedService } from './hosted-service.js';

const never = () => new Promise<void>(() => {});
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('BackgroundHost.stop at its deadline', () => {
  it('S10 S12 S13 the signal of a hook is aborted when the one budget is used up, by whichever hooks', async () => {
    const { add, host, clock, ofType, started } = setup({ shutdownTimeout: '10s' });
    const slow = gate();
    const reasons: unknown[] = [];
    add('a', {
      stop: async (signal) => {
        await untilAborted(signal);
        reasons.push(signal.reason, clock.monotonic());
      },
    });
    add('b', { stopping: () => slow.opened });
    await started();
    const stop = host.stop(new AbortController().signal);
    await clock.advance('6s');
    slow.open();
    await clock.advance('4s');
    await stop;
    expect(reasons).toEqual([expect.any(StoppingError), 10_000]);
    expect((reasons[0] as Error).message).toContain('The time to stop is up: the application');
    expect(ofType('host.deadlinePassed')).toMatchObject([{ timeoutMs: 10_000 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('S10 no deadline passes when shutdownTimeout is infinite', async () => {
    const { add, host, clock, ofType, started } = setup({ shutdownTimeout: 'infinite' });
    const { opened, open } = gate();
    add('a', { stop: () => opened });
    await started();
    const stop = host.stop();
    await clock.advance('7d');
    expect(clock.pendingTimers).toBe(0);
    open();
    await stop;
    expect(ofType('host.deadlinePassed')).toEqual([]);
  });

  it.each(['stopping', 'stop', 'stopped'] as const)(
    'S11 S14 the deadline is at once, in %s, when the signal of any caller is aborted',
    async (hook) => {
      const { add, host, clock, ofType, started } = setup();
      add('a', { [hook]: untilAborted });
      await started();
      const caller = new AbortController();
      const stop = host.stop();
      void host.stop(caller.signal);
      await clock.advance(0);
      caller.abort();
      await stop;
      expect(ofType('service.abandoned')).toEqual([]);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it('S11 the deadline is at once when the signal of the caller is aborted already', async () => {
    const { add, host, clock, ofType, started } = setup();
    const reasons: unknown[] = [];
    add('a', { stop: (signal) => void reasons.push(signal.aborted, signal.reason) });
    add('b', { stop: never });
    await started();
    const stop = host.stop(AbortSignal.abort('no time'));
    await clock.advance(0);
    await stop;
    expect(reasons).toEqual([true, 'no time']);
    expect(ofType('service.abandoned')).toMatchObject([{ service: 'b' }]);
  });

  it.each(['stopping', 'stop', 'stopped'] as const)(
    'S13 S15 stop goes on without a %s that ignores the deadline, and names it',
    async (hook) => {
      const { add, host, calls, clock, ofType, started } = setup();
      const { opened, open } = gate();
      const hanging = add('a', { [hook]: () => opened });
      add('b');
      await started();
      const stop = host.stop();
      await clock.advance('30s');
      await stop;
      expect(calls).toHaveLength(6);
      expect(ofType('service.abandoned')).toMatchObject([{ service: 'a', running: [`${hook}()`] }]);
      expect(ofType('host.deadlinePassed')).toHaveLength(1);
      expect(hanging.state).toBe('abandoned');
      open();
      await clock.advance(0);
      expect(hanging.state).toBe('stopped');
    },
  );

  it('the deadline is one event when several hooks run into it, one after the other', async () => {
    const { add, host, clock, ofType, started } = setup();
    add('a', { stopping: never, stop: never, stopped: never });
    await started();
    const stop = host.stop();
    await clock.advance('30s');
    await clock.advance(0);
    await stop;
    expect(ofType('host.deadlinePassed')).toHaveLength(1);
    expect(ofType('service.abandoned')).toHaveLength(2);
  });

  it('a service is given up at the shutdownTimeout of the host when its handle stops it', async () => {
    const { add, clock, lifetime, started } = setup({ shutdownTimeout: '10s' });
    const service = add('a', { stop: never });
    await started();
    const stop = service.stop();
    await clock.advance('10s');
    await stop;
    expect(service.state).toBe('abandoned');
    expect(lifetime.stopping.aborted).toBe(false);
  });

  it('an error is still an event when it comes after the hook was given up on', async () => {
    const { add, host, clock, ofType, started } = setup();
    let fail!: (error: Error) => void;
    add('a', { stop: () => new Promise((_, reject) => (fail = reject)) });
    await started();
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    fail(new Error('at last'));
    await clock.advance(0);
    expect(ofType('service.stopFailed')).toMatchObject([{ error: new Error('at last') }]);
  });

  it('what a runner has in flight is named when it is still there at the deadline', async () => {
    const { add, host, clock, ofType, started } = setup();
    add('a', { stop: never, inFlight: () => ['tick 3 (id)'] });
    await started();
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    expect(ofType('service.abandoned')).toMatchObject([{ running: ['stop()', 'tick 3 (id)'] }]);
  });
});

describe('BackgroundHost.signalStopping', () => {
  it('S10 takes its time from the budget of the stop, but not what passes in between', async () => {
    const { add, host, clock, started } = setup({ shutdownTimeout: '10s' });
    const { opened, open } = gate();
    add('a', { stopping: () => opened, stop: untilAborted });
    await started();
    const signalled = host.signalStopping();
    await clock.advance('4s');
    open();
    await signalled;
    await clock.advance('60s'); // HTTP closes
    const stop = host.stop();
    await clock.advance('5s');
    expect(clock.pendingTimers).toBe(1);
    await clock.advance('1s');
    await stop;
    expect(clock.pendingTimers).toBe(0);
  });

  it('never rejects; what its hooks threw comes out of the stop', async () => {
    const { add, host, started } = setup();
    add('a', { stopping: failing('no') });
    await started();
    await host.signalStopping();
    await expect(host.stop()).rejects.toThrow('no');
  });
});

describe('BackgroundHost.stop during the start', () => {
  it('waits for the start to be given up, then stops what had started', async () => {
    const { add, host, calls, clock } = setup();
    const { opened, open } = gate();
    add('a', { start: () => opened });
    add('b');
    const start = host.start();
    await clock.advance(0);
    const stop = host.stop();
    open();
    await Promise.all([start, stop]);
    expect(calls).toEqual(['a.starting', 'b.starting', 'a.start', 'a.stopping', 'a.stop', 'a.stopped']);
  });

  it.each(['starting', 'start', 'started'] as const)(
    'names a %s that never ends, and stops the service when it ends after all',
    async (hook) => {
      const { add, host, calls, clock, ofType } = setup();
      const { opened, open } = gate();
      const service = add('a', { [hook]: () => opened });
      const start = host.start();
      await clock.advance(0);
      const stop = host.stop();
      await clock.advance('30s');
      await stop;
      expect(ofType('service.abandoned')).toMatchObject([{ service: 'a', running: [`${hook}()`] }]);
      expect(service.state).toBe('abandoned');
      open();
      await start;
      expect(service.state).toBe('stopped');
      const stops = calls.filter((call) => /stop/.test(call));
      expect(stops).toEqual(hook === 'starting' ? [] : ['a.stopping', 'a.stop', 'a.stopped']);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it('a start that fails after it was given up rejects, and the service counts as stopped', async () => {
    const { add, host, clock } = setup();
    let fail!: (error: Error) => void;
    const hooks: Partial<HostedService> = { start: () => new Promise((_, reject) => (fail = reject)) };
    const service = add('a', hooks);
    const start = host.start().catch((reason: unknown) => reason);
    await clock.advance(0);
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    fail(new Error('too late'));
    expect(await start).toEqual(new Error('too late'));
    expect(service.state).toBe('stopped');
  });
});
