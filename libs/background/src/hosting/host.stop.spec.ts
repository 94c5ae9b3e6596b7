import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { gate } from '../gate.fixture.js';
import { failing, setup } from './host.fixture.js';

describe('BackgroundHost.stop', () => {
  it.each([false, true])(
    'S1 S3 S9 services are stopped in reverse, phase by phase, when concurrently is %s',
    async (servicesStopConcurrently) => {
      const { add, host, calls, lifetime, started } = setup({ servicesStopConcurrently });
      lifetime.stopping.addEventListener('abort', () => calls.push('stopping signalled'));
      lifetime.stopped.addEventListener('abort', () => calls.push('stopped signalled'));
      add('a');
      add('b');
      await started();
      await host.stop();
      expect(calls.join(', ')).toBe(
        'b.stopping, a.stopping, stopping signalled, b.stop, a.stop, b.stopped, a.stopped, stopped signalled',
      );
    },
  );

  it('S2 S17 stopApplication only signals; the hooks follow when the host is stopped', async () => {
    const { add, host, calls, lifetime, started } = setup();
    add('a');
    await started();
    lifetime.stopApplication('why');
    expect(calls).toEqual([]);
    await host.stop();
    expect(calls).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
  });

  it.each(['stopping', 'stop', 'stopped'] as const)(
    'S4 a service waits for the %s of the one after it when sequential',
    async (hook) => {
      const { add, host, calls, clock, started } = setup();
      const { opened, open } = gate();
      add('a');
      add('b', { [hook]: () => opened });
      await started();
      const stop = host.stop();
      await clock.advance(0);
      expect(calls).toContain(`b.${hook}`);
      expect(calls).not.toContain(`a.${hook}`);
      open();
      await stop;
      expect(calls).toContain(`a.${hook}`);
    },
  );

  it('S5 hooks are called in reverse up to their first wait when concurrent', async () => {
    const { add, host, calls, clock, started } = setup({ servicesStopConcurrently: true });
    const { opened, open } = gate();
    add('a', { stop: () => opened });
    add('b', { stop: () => opened });
    await started();
    const stop = host.stop();
    await clock.advance(0);
    expect(calls.slice(2)).toEqual(['b.stop', 'a.stop']);
    open();
    await stop;
  });

  it('S6 S7 S9 the other hooks run and all errors come out in order when several hooks throw', async () => {
    const { add, host, calls, lifetime, ofType, started } = setup();
    add('a', { stopping: failing('1'), stop: failing('2'), stopped: failing('3') });
    add('b');
    await started();
    const error: unknown = await host.stop().catch((reason: unknown) => reason);
    expect((error as AggregateError).errors).toEqual([new Error('1'), new Error('2'), new Error('3')]);
    expect((error as AggregateError).message).toBe('The host stopped with several errors.');
    expect(calls).toHaveLength(6);
    expect(ofType('service.stopFailed')).toHaveLength(3);
    expect(ofType('host.stopped')).toMatchObject([{ errors: [{}, {}, {}] }]);
    expect(lifetime.stopped.aborted).toBe(true);
  });

  it('S7 a single error is thrown as it is', async () => {
    const { add, host, started } = setup();
    const service = add('a', { stop: () => Promise.reject(new Error('only')) });
    await started();
    await expect(host.stop()).rejects.toEqual(new Error('only'));
    expect(service).toMatchObject({ state: 'stopped', lastError: new Error('only') });
  });

  it('S16 S20 stopping and stopped are signalled, and no hook is called, when the host never started', async () => {
    const { add, host, calls, lifetime } = setup();
    const order: string[] = [];
    lifetime.stopped.addEventListener('abort', () => order.push('stopped'));
    lifetime.stopping.addEventListener('abort', () => order.push('stopping'));
    add('a');
    await host.stop();
    expect(calls).toEqual([]);
    expect(order).toEqual(['stopping', 'stopped']);
  });

  it('S24 hooks are called once and every caller gets the same promise when stop is called again', async () => {
    const { add, host, calls, started } = setup();
    add('a', { stop: failing('no') });
    await started();
    const stop = host.stop();
    expect(host.stop()).toBe(stop);
    await expect(stop).rejects.toThrow('no');
    await expect(host.stop()).rejects.toThrow('no');
    expect(calls).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
  });

  it('S24 hooks are called once when the host and a handle stop a service at the same time', async () => {
    const { add, host, calls, clock, started } = setup();
    const { opened, open } = gate();
    const service = add('a', { stopping: () => opened });
    await started();
    const stops = [service.stop(), host.stop(), service.stop()];
    await clock.advance(0);
    open();
    await Promise.all(stops);
    expect(calls).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('a service is not stopped again when its handle has stopped it', async () => {
    const { add, host, calls, started } = setup();
    const service = add('a');
    await started();
    await service.stop();
    await host.stop();
    expect(calls).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
  });

  it('says why it stops, and when it has stopped how long that took', async () => {
    const { add, host, clock, lifetime, seen, started } = setup();
    const { opened, open } = gate();
    add('a', { stop: () => opened });
    await started();
    await clock.advance('1h');
    lifetime.stopApplication('a reason');
    const stop = host.stop();
    await clock.advance(250);
    open();
    await stop;
    expect(seen).toMatchObject([
      { type: 'host.stopping', reason: 'a reason' },
      { type: 'service.stopping', service: 'a' },
      { type: 'service.stopped', service: 'a', durationMs: 250 },
      { type: 'host.stopped', durationMs: 250, errors: [] },
    ]);
  });

  it('leaves no listener on the signals of its callers', async () => {
    const { host } = setup();
    const [first, second] = [new AbortController(), new AbortController()];
    await Promise.all([host.stop(first.signal), host.stop(second.signal)]);
    await host.stop(second.signal);
    for (const { signal } of [first, second]) expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('every service is told at once to begin nothing new when stopping fires', async () => {
    const { add, calls, lifetime, started } = setup();
    add('a', { quiesce: () => void calls.push('a.quiesce') });
    add('b', { quiesce: () => void calls.push('b.quiesce') });
    await started();
    lifetime.stopApplication();
    expect(calls).toEqual(['a.quiesce', 'b.quiesce']);
  });
});
