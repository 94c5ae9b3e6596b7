import { constant, type Backoff } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { setup, untilAborted } from './long-running-service.fixture.js';

const restart = { maxRestarts: 2, withinMs: 60_000, backoff: constant('1s') };

describe('A fault of a long-running service', () => {
  it('B19 B30 stops the host, in order, when exceptionBehavior is stopHost', async () => {
    const { host, add, clock, lifetime, ofType } = setup();
    const others: string[] = [];
    const service = add(() => Promise.reject(new Error('boom')));
    add((token) => untilAborted(token).then(() => void others.push('stopped')), { name: 'other' });
    await host.start();
    await clock.advance(0);
    expect(service).toMatchObject({ state: 'faulted', lastError: new Error('boom') });
    expect(ofType('service.faulted')).toMatchObject([{ consequence: 'stopHost' }]);
    expect(lifetime.stopReason).toMatchObject({
      message: "service 'worker' faulted",
      cause: new Error('boom'),
    });
    await expect(host.stop()).rejects.toThrow('boom');
    expect(others).toEqual(['stopped']);
    expect(host.faults).toEqual([new Error('boom')]);
  });

  it('B20 B21 S32 leaves everything else running when that service says ignore', async () => {
    const { host, add, clock, lifetime, ofType } = setup();
    const service = add(() => Promise.reject(new Error('boom')), { ignore: true });
    await host.start();
    await clock.advance(0);
    expect(service.state).toBe('faulted');
    expect(ofType('service.faulted')).toMatchObject([{ consequence: 'none' }]);
    expect(lifetime.stopping.aborted).toBe(false);
    await host.stop();
  });

  it('S29 S30 S31 comes out of every stop, together with what stop hooks throw', async () => {
    const { host, add, clock } = setup();
    add(() => Promise.reject(new Error('fault')), {}, { stopping: () => Promise.reject(new Error('hook')) });
    add((token) => untilAborted(token).then(() => Promise.reject(new Error('late fault'))), {
      name: 'other',
    });
    await host.start();
    await clock.advance(0);
    const error = await host.stop().catch((reason: unknown) => reason);
    const messages = (error as AggregateError).errors.map(({ message }: Error) => message);
    expect(messages).toEqual(['fault', 'late fault', 'hook']);
    await expect(host.stop()).rejects.toBe(error);
  });

  it.each(['reason', 'other AbortError'])(
    'B23 is none when it is an abort after the stop: %s',
    async (kind) => {
      const { host, add, clock, ofType } = setup();
      const service = add((token) =>
        untilAborted(token).then(() => {
          throw kind === 'reason' ? token.reason : new DOMException('aborted', 'AbortError');
        }),
      );
      await host.start();
      await clock.advance(0);
      await host.stop();
      expect(service).toMatchObject({ state: 'stopped', lastError: undefined });
      expect(ofType('service.faulted')).toEqual([]);
    },
  );

  it('B23 is none when it is an abort after stopping has fired, before its own turn to stop', async () => {
    const { host, add, clock, lifetime, ofType } = setup();
    const service = add(() =>
      untilAborted(lifetime.stopping).then(() => Promise.reject(lifetime.stopping.reason)),
    );
    await host.start();
    await clock.advance(0);
    lifetime.stopApplication();
    await clock.advance(0);
    expect(service).toMatchObject({ state: 'completed', lastError: undefined });
    expect(ofType('service.faulted')).toEqual([]);
    await host.stop();
  });

  it('B24 is one when it is an abort before the stop', async () => {
    const { host, add, clock, lifetime } = setup();
    add(() => Promise.reject(new DOMException('aborted', 'AbortError')));
    await host.start();
    await clock.advance(0);
    expect(lifetime.stopping.aborted).toBe(true);
    await expect(host.stop()).rejects.toThrow('aborted');
  });

  it('B26 is one when it is another error during the stop', async () => {
    const { host, add, clock, ofType } = setup();
    const service = add((token) => untilAborted(token).then(() => Promise.reject(new Error('cannot save'))));
    await host.start();
    await clock.advance(0);
    await expect(host.stop()).rejects.toThrow('cannot save');
    expect(service.state).toBe('faulted');
    expect(ofType('service.faulted')).toHaveLength(1);
    expect(ofType('service.stopped')).toHaveLength(1);
  });
});

describe('The restart of a long-running service', () => {
  it('follows after the backoff, and exceptionBehavior decides when the restarts are used up', async () => {
    const { host, add, clock, lifetime, ofType } = setup();
    const at: number[] = [];
    const execute = () => {
      at.push(clock.monotonic());
      return Promise.reject(new Error('again'));
    };
    const service = add(execute, { restart });
    await host.start();
    await clock.advance(999);
    expect(service).toMatchObject({ state: 'restarting', restarts: 1, lastError: new Error('again') });
    await clock.advance('5s');
    expect(at).toEqual([0, 1_000, 2_000]);
    expect(ofType('service.restarting')).toMatchObject([{ restarts: 1, delayMs: 1_000 }, { restarts: 2 }]);
    expect(ofType('service.gaveUp')).toMatchObject([{ restarts: 2 }]);
    expect(service.state).toBe('faulted');
    expect(lifetime.stopping.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    await expect(host.stop()).rejects.toThrow('again');
  });

  it('leaves the service running when execute holds the second time', async () => {
    const { host, add, clock } = setup();
    const faults = [new Error('once')];
    const service = add(
      (token) => {
        const fault = faults.pop();
        return fault ? Promise.reject(fault) : untilAborted(token);
      },
      { restart },
    );
    await host.start();
    await clock.advance('1s');
    expect(service).toMatchObject({ state: 'running', restarts: 1 });
    await host.stop();
    expect(service.state).toBe('stopped');
  });

  it.each(['waiting', 'running'] as const)(
    'B34 does not come any more when stopping has fired while the service was %s',
    async (when) => {
      const { host, add, clock, lifetime, ofType } = setup();
      let fail!: (error: Error) => void;
      const executions: number[] = [];
      const execute = () => {
        executions.push(clock.monotonic());
        return new Promise<void>((_, reject) => (fail = reject));
      };
      const service = add(execute, { restart, ignore: true });
      await host.start();
      await clock.advance(0);
      if (when === 'waiting') fail(new Error('fault'));
      await clock.advance(500);
      lifetime.stopApplication();
      fail(new Error('fault'));
      await clock.advance('5s');
      expect(executions).toEqual([0]);
      expect(service.state).toBe(when === 'waiting' ? 'restarting' : 'faulted');
      expect(ofType('service.gaveUp')).toEqual([]);
      await host.stop();
      expect(service.state).toBe(when === 'waiting' ? 'stopped' : 'faulted');
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it('B34 is not waited for when the stop comes before it, however long the backoff', async () => {
    const { host, add, clock } = setup();
    const longBackoff = { ...restart, backoff: constant('1h') };
    const service = add(() => Promise.reject(new Error('fault')), { restart: longBackoff });
    await host.start();
    await clock.advance(0);
    expect(service.state).toBe('restarting');
    const before = clock.monotonic();
    await host.stop();
    expect(clock.monotonic()).toBe(before);
    expect(service.state).toBe('stopped');
    expect(clock.pendingTimers).toBe(0);
  });

  it('B34 does not come when whoever hears of it asks for the stop', async () => {
    const { host, add, clock, events, lifetime } = setup();
    const executions: number[] = [];
    events.on('service.restarting', () => lifetime.stopApplication());
    const execute = () => {
      executions.push(clock.monotonic());
      return Promise.reject(new Error('fault'));
    };
    const service = add(execute, { restart });
    await host.start();
    await clock.advance(0);
    await host.stop();
    expect(executions).toEqual([0]);
    expect(service.state).toBe('stopped');
    expect(clock.pendingTimers).toBe(0);
  });

  it('comes again after a stop and a start through the handle, counted anew', async () => {
    const { host, add, clock } = setup();
    const service = add(() => Promise.reject(new Error('fault')), { restart });
    await host.start();
    await clock.advance('1s');
    expect(service.restarts).toBe(2);
    await service.stop();
    await service.start();
    await clock.advance(0);
    expect(service).toMatchObject({ state: 'restarting', restarts: 1 });
    await host.stop();
  });

  it('is a fault with both errors when the backoff throws', async () => {
    const { host, add, clock } = setup();
    const backoff: Backoff = {
      delayMs: () => {
        throw new Error('backoff');
      },
    };
    const service = add(() => Promise.reject(new Error('fault')), { restart: { ...restart, backoff } });
    await host.start();
    await clock.advance(0);
    expect(service.state).toBe('faulted');
    expect((service.lastError as AggregateError).errors).toEqual([new Error('fault'), new Error('backoff')]);
    await expect(host.stop()).rejects.toThrow(/cannot be restarted/);
  });
});
