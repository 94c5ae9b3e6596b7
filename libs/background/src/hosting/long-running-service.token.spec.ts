import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { gate, isSettled } from '../gate.fixture.js';
import { setup, untilAborted } from './long-running-service.fixture.js';
import { LongRunningService } from './long-running-service.js';
import { collectUncaught } from './uncaught.fixture.js';

const live = () => new AbortController().signal;

describe('The stopping token', () => {
  it('B6 is given to nobody when stopping was asked for before the start', async () => {
    const { host, add, clock, lifetime, seen } = setup();
    const tokens: AbortSignal[] = [];
    const service = add((token) => void tokens.push(token));
    lifetime.stopApplication();
    await host.start();
    await clock.advance(0);
    expect(tokens).toEqual([]);
    expect(service.state).toBe('idle');
    await host.stop();
    expect(seen.filter(({ type }) => type.startsWith('service.'))).toEqual([]);
  });

  it.each([false, true])(
    'B6 B7 is not aborted by the timeout of a start that succeeds even so, concurrently %s',
    async (servicesStartConcurrently) => {
      const { host, add, clock } = setup({ startupTimeout: '1s', servicesStartConcurrently });
      const { opened, open } = gate();
      const tokens: AbortSignal[] = [];
      const seenAtStart: AbortSignal[] = [];
      const started = (signal: AbortSignal) => {
        seenAtStart.push(signal);
        return opened;
      };
      const execute = (token: AbortSignal) => {
        tokens.push(token);
        return untilAborted(token);
      };
      add(execute, {}, { started });
      const start = host.start();
      await clock.advance('1s');
      expect(seenAtStart[0]!.aborted).toBe(true);
      open();
      await start;
      await clock.advance('1h');
      expect(tokens.map(({ aborted }) => aborted)).toEqual([false]);
      await host.stop();
      expect(tokens.map(({ aborted }) => aborted)).toEqual([true]);
    },
  );

  it.each([
    { servicesStopConcurrently: false, ends: ['third', 'second', 'first'] },
    { servicesStopConcurrently: true, ends: ['first', 'second', 'third'] },
  ])(
    'B34 is aborted when its service has its turn, not when stopping fires, concurrently $servicesStopConcurrently',
    async ({ servicesStopConcurrently, ends }) => {
      const { host, add, clock, lifetime } = setup({ servicesStopConcurrently });
      const told: string[] = [];
      const ended: string[] = [];
      const gates = new Map(['first', 'second', 'third'].map((name) => [name, gate()]));
      for (const [name, { opened }] of gates) {
        const execute = async (token: AbortSignal) => {
          await untilAborted(token);
          told.push(name);
          await opened;
          ended.push(name);
        };
        add(execute, { name });
      }
      await host.start();
      lifetime.stopApplication();
      await clock.advance('1h');
      expect(told).toEqual([]);
      const stop = host.stop();
      await clock.advance(0);
      expect(told).toEqual(servicesStopConcurrently ? ['third', 'second', 'first'] : ['third']);
      for (const name of ends) {
        gates.get(name)!.open();
        await clock.advance(0);
      }
      await stop;
      expect(told).toEqual(['third', 'second', 'first']);
      expect(ended).toEqual(ends);
    },
  );

  it('B8 B9 is aborted, of the one execute that there is, when a service is stopped while it starts', async () => {
    const { host, add, clock, ofType } = setup({ enabled: false });
    const tokens: AbortSignal[] = [];
    const service = add((token) => {
      tokens.push(token);
      return untilAborted(token);
    });
    await host.start();
    await Promise.all([service.start(), service.stop()]);
    await clock.advance(0);
    expect(tokens.map(({ aborted }) => aborted)).toEqual([true]);
    expect(service.state).toBe('stopped');
    expect(ofType('service.faulted')).toEqual([]);
    await host.stop();
  });

  it('B13 reaches all of its listeners, and execute is waited for, when one of them throws', async () => {
    const uncaught = collectUncaught();
    const { host, add, clock, ofType } = setup();
    const { opened, open } = gate();
    const called: string[] = [];
    const service = add((token) => {
      token.addEventListener('abort', () => {
        throw new Error('listener');
      });
      token.addEventListener('abort', () => called.push('the other listener'));
      return opened;
    });
    await host.start();
    await clock.advance(0);
    const stop = host.stop();
    expect(await isSettled(stop, clock)).toBe(false);
    open();
    await stop;
    expect(called).toEqual(['the other listener']);
    expect(uncaught).toEqual([new Error('listener')]);
    expect(service.state).toBe('stopped');
    expect(ofType('service.stopFailed')).toEqual([]);
  });

  it('B14 is aborted once, and every stop waits for execute, when stop is called again', async () => {
    const clock = new ManualClock();
    const { opened, open } = gate();
    const told: unknown[] = [];
    const execute = (token: AbortSignal) => {
      token.addEventListener('abort', () => told.push(token.reason));
      return opened;
    };
    const runner = new LongRunningService({ execute }, { name: 'worker', clock });
    runner.start();
    runner.begin();
    await clock.advance(0);
    const stops = [runner.stop(live()), runner.stop(live())];
    for (const stop of stops) expect(await isSettled(stop, clock)).toBe(false);
    open();
    await Promise.all(stops);
    await runner.stop(live());
    expect(told).toHaveLength(1);
  });
});
