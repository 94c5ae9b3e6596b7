import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../error-of.fixture.js';
import { gate } from '../gate.fixture.js';
import { setup, setupAdding, setupHost } from './host.fixture.js';
import { LongRunningService } from './long-running-service.js';

describe('A stop that is asked for again by what the stop itself calls', () => {
  it.each(['stopping', 'stop', 'stopped'] as const)(
    'is the one under way when %s asks for it through the handle',
    async (hook) => {
      const { add, host, calls, started, clock } = setup();
      const service = add('a', { [hook]: () => void service.stop() });
      await started();
      const stop = service.stop();
      await clock.advance('30s');
      await stop;
      expect(calls).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
      await host.stop();
      expect(calls).toHaveLength(3);
    },
  );

  it('calls each hook once when the host stops a service that asks for it through its handle', async () => {
    const { add, host, calls, started, clock, ofType } = setup();
    const service = add('a', { stopping: () => void service.stop() });
    await started();
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    expect(calls).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
    expect(ofType('host.stopped')).toHaveLength(1);
  });

  it('is one stop of the host when a listener to stopping asks for it during the start', async () => {
    const { add, host, lifetime, clock, ofType } = setup();
    const { opened, open } = gate();
    const stops: Promise<void>[] = [];
    lifetime.stopping.addEventListener('abort', () => stops.push(host.stop()), { once: true });
    add('a', { start: () => opened });
    const start = host.start();
    await clock.advance(0);
    const stop = host.stop();
    open();
    await Promise.all([start, stop]);
    expect(stops).toEqual([stop]);
    expect(ofType('host.stopped')).toHaveLength(1);
  });

  it('starts once when a hook of the start asks for it', async () => {
    const { add, host, calls } = setup();
    const starts: Promise<void>[] = [];
    add('a', { starting: () => void starts.push(host.start()) });
    add('b');
    const start = host.start();
    await start;
    expect(starts).toEqual([start]);
    expect(calls.filter((call) => call.endsWith('.start'))).toEqual(['a.start', 'b.start']);
  });
});

describe('A service that is stopped through its handle while the host starts', () => {
  it('is not stopped beside its own started, and not called abandoned', async () => {
    const { add, host, calls, clock, ofType } = setup();
    const { opened, open } = gate();
    const service = add('a', { started: () => opened });
    const start = host.start();
    await clock.advance(0);
    const stop = service.stop();
    await clock.advance(0);
    expect(calls).toEqual(['a.starting', 'a.start', 'a.started']);
    open();
    await Promise.all([start, stop]);
    expect(calls.slice(3)).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
    expect(ofType('service.abandoned')).toEqual([]);
  });

  it('is neither told that it has started nor begun when its stop takes until after the start', async () => {
    const { add, host, calls, clock, ofType } = setup();
    const [other, own] = [gate(), gate()];
    add('a', { started: () => other.opened });
    const service = add('b', { stop: () => own.opened });
    const start = host.start();
    await clock.advance(0);
    const stop = service.stop();
    await clock.advance(0);
    other.open();
    await start;
    own.open();
    await stop;
    expect(calls).not.toContain('b.started');
    expect(calls).not.toContain('b.begin');
    expect(ofType('service.started')).toMatchObject([{ service: 'a' }]);
    expect(ofType('host.started')).toMatchObject([{ services: ['a'] }]);
  });

  it('is stopped, not left to run, when the stop comes during its start', async () => {
    const { add, host, calls, clock } = setup();
    const { opened, open } = gate();
    const service = add('a', { start: () => opened });
    const start = host.start();
    await clock.advance(0);
    const stop = service.stop();
    open();
    await Promise.all([start, stop]);
    expect(service.state).toBe('stopped');
    expect(calls).not.toContain('a.started');
    expect(calls).not.toContain('a.begin');
  });

  it('is stopped before it starts anew when a start is asked for behind the stop', async () => {
    const { add, host, calls, clock } = setup();
    const { opened, open } = gate();
    const service = add('a', { start: () => opened });
    const start = host.start();
    await clock.advance(0);
    const steered = [service.stop(), service.start()];
    open();
    await Promise.all([start, ...steered]);
    const again = ['a.starting', 'a.start', 'a.started', 'a.begin'];
    expect(calls).toEqual(['a.starting', 'a.start', 'a.stopping', 'a.stop', 'a.stopped', ...again]);
    expect(service.state).toBe('running');
  });

  it('never runs its execute after its stop', async () => {
    const { host, clock } = setupHost();
    const { opened, open } = gate();
    const executed: string[] = [];
    const waiting = { execute: () => {}, started: () => opened };
    const slow = new LongRunningService(waiting, { name: 'slow', clock });
    const stopped = new LongRunningService(
      { execute: () => void executed.push('stopped') },
      { name: 'stopped', clock },
    );
    const common = { exceptionBehavior: 'stopHost' as const, enabled: true };
    host.add({ ...common, name: 'slow', runner: slow });
    const service = host.add({ ...common, name: 'stopped', runner: stopped });
    const start = host.start();
    await clock.advance(0);
    await service.stop();
    open();
    await start;
    await clock.advance(0);
    expect(executed).toEqual([]);
  });
});

describe('A service that is started apart from the host', () => {
  it('ends its start before its stop when it is added while stopping hooks run', async () => {
    const { host, calls, clock, ofType } = setupAdding();
    const { opened, open } = gate();
    const added: Promise<unknown>[] = [];
    const addLate = () => {
      const late = host.addService({ started: () => opened }, { name: 'late' });
      added.push(late.catch((error: unknown) => error));
    };
    await host.start();
    await host.addService({ stopping: addLate }, { name: 'a' });
    const stop = host.stop();
    await clock.advance(0);
    expect(calls).not.toContain('late.stop');
    open();
    await stop;
    expect(await added[0]).toMatchObject({ code: 'ILLEGAL_STATE' });
    expect(calls.indexOf('late.started')).toBeLessThan(calls.indexOf('late.stop'));
    expect(ofType('service.abandoned')).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is no failure of the stop, and is stopped after its start, when that begins while stopping hooks run', async () => {
    const { add, host, calls, clock, started } = setup();
    const [begun, ending] = [gate(), gate()];
    const starts = [() => {}, () => (begun.open(), ending.opened)];
    const again: Promise<unknown>[] = [];
    const first = add('a', { start: () => starts.shift()!() });
    add('b', {
      stopping: async () => {
        await first.stop();
        again.push(errorOf(first.start()));
        await begun.opened;
      },
    });
    await started();
    const stop = host.stop();
    await clock.advance(0);
    expect(calls.at(-1)).toBe('a.start');
    ending.open();
    await stop;
    expect(await again[0]).toMatchObject({ code: 'ILLEGAL_STATE' });
    expect(calls.slice(6).join(' ')).toBe('a.stopping a.stop a.stopped b.stop b.stopped');
  });

  it('B7 does not hear through the signal of its start of a stop that comes later', async () => {
    const { host, lifetime, signals } = setupAdding();
    await host.start();
    const before = getEventListeners(lifetime.stopping, 'abort').length;
    await host.addService({}, { name: 'a' });
    expect(getEventListeners(lifetime.stopping, 'abort')).toHaveLength(before);
    lifetime.stopApplication();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    await host.stop();
  });
});
