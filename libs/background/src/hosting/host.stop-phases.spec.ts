import { setImmediate } from 'node:timers/promises';
import { systemClock } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { StoppingError } from '../errors.js';
import { errorOf } from '../error-of.fixture.js';
import { gate } from '../gate.fixture.js';
import { inOrder, setup } from './host.fixture.js';
import { untilAborted } from './long-running-service.fixture.js';
import { stopHooks } from './stop-sequence.js';
import { givingUp, nowAndLater, throwing } from './throwing.fixture.js';

const modes = [false, true];
const inBothModes = stopHooks.flatMap((hook) =>
  modes.map((servicesStopConcurrently) => ({ hook, servicesStopConcurrently })),
);
const whenever = modes.flatMap((servicesStopConcurrently) =>
  nowAndLater.map((when) => ({ when, servicesStopConcurrently })),
);

describe('The phases of a stop', () => {
  it.each(inBothModes)(
    'S1 no service goes on until every one has ended $hook, concurrently $servicesStopConcurrently',
    async ({ hook, servicesStopConcurrently }) => {
      const { add, host, calls, clock, lifetime, started } = setup({ servicesStopConcurrently });
      const { opened, open } = gate();
      add('a', { [hook]: () => opened });
      add('b');
      await started();
      const stop = host.stop();
      await clock.advance(0);
      const upToIt = stopHooks.slice(0, stopHooks.indexOf(hook) + 1);
      expect(calls).toEqual(upToIt.flatMap((each) => [`b.${each}`, `a.${each}`]));
      expect(lifetime.stopping.aborted).toBe(hook !== 'stopping');
      expect(lifetime.stopped.aborted).toBe(false);
      open();
      await stop;
      expect(calls).toHaveLength(6);
      expect(lifetime.stopped.aborted).toBe(true);
    },
  );

  it.each(stopHooks)('S5 each %s is run in reverse up to its first wait when concurrent', async (hook) => {
    const { add, host, clock, started } = setup({ servicesStopConcurrently: true });
    const { order, open, wait } = inOrder();
    for (const name of ['a', 'b', 'c']) add(name, { [hook]: wait(name) });
    await started();
    const stop = host.stop();
    await clock.advance(0);
    expect(order).toEqual(['c begins', 'b begins', 'a begins']);
    open();
    await stop;
    expect(order.slice(3)).toEqual(['c ends', 'b ends', 'a ends']);
  });

  it.each(whenever)(
    'S6 S7 S9 the other hooks run, and all errors come out in order, when hooks throw $when, concurrently $servicesStopConcurrently',
    async ({ when, servicesStopConcurrently }) => {
      const { add, host, calls, lifetime, started } = setup({ servicesStopConcurrently });
      const errors = ['stopping', 'b.stop', 'a.stop', 'stopped'].map((message) => new Error(message));
      const [ofStopping, ofB, ofA, ofStopped] = errors.map((error) => throwing(error, when));
      add('a', { stopping: ofStopping!, stop: ofA!, stopped: ofStopped! });
      add('b', { stop: ofB! });
      await started();
      const thrown = (await errorOf(host.stop())) as AggregateError;
      expect(thrown).toBeInstanceOf(AggregateError);
      expect(thrown.errors).toHaveLength(4);
      for (const [index, error] of errors.entries()) expect(thrown.errors[index]).toBe(error);
      expect(calls).toEqual(stopHooks.flatMap((hook) => [`b.${hook}`, `a.${hook}`]));
      expect(lifetime.stopped.aborted).toBe(true);
    },
  );

  it.each(whenever)(
    'S7 a single error is thrown as it is when a hook throws $when, concurrently $servicesStopConcurrently',
    async ({ when, servicesStopConcurrently }) => {
      const { add, host, started } = setup({ servicesStopConcurrently });
      const error = new Error('only');
      add('a', { stop: throwing(error, when) });
      add('b');
      await started();
      expect(await errorOf(host.stop())).toBe(error);
    },
  );
});

describe('The budget of a stop', () => {
  it('S4 S10 is one for all when services stop one after the other', async () => {
    const { add, host, clock, started } = setup({ shutdownTimeout: '10s' });
    const ends: unknown[] = [];
    for (const name of ['a', 'b', 'c'])
      add(name, {
        stop: async (signal) => {
          const wasUp = signal.aborted;
          await untilAborted(signal);
          ends.push([name, wasUp, clock.monotonic()]);
        },
      });
    await started();
    const stop = host.stop();
    await clock.advance('10s');
    await stop;
    expect(ends).toEqual([
      ['c', false, 10_000],
      ['b', true, 10_000],
      ['a', true, 10_000],
    ]);
  });

  it('H37 is not used up at once when it is the longest there is', async () => {
    const { add, host, started } = setup({ shutdownTimeout: Number.MAX_SAFE_INTEGER, clock: systemClock });
    const aborted: boolean[] = [];
    add('a', {
      stop: async (signal) => {
        await setImmediate();
        aborted.push(signal.aborted);
      },
    });
    await started();
    await host.stop();
    expect(aborted).toEqual([false]);
  });

  it('S11 is used up from the beginning when the signal of the caller is aborted already', async () => {
    const { add, host, clock, calls, started } = setup();
    const aborted: boolean[] = [];
    add('a', { stopping: (signal) => void aborted.push(signal.aborted), stop: untilAborted });
    await started();
    await host.stop(AbortSignal.abort());
    expect(aborted).toEqual([true]);
    expect(calls).toEqual(['a.stopping', 'a.stop', 'a.stopped']);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(modes)(
    'S13 the remaining hooks are called, with an aborted signal, when one ignores the deadline, concurrently %s',
    async (servicesStopConcurrently) => {
      const { add, host, clock, ofType, started } = setup({ servicesStopConcurrently });
      const { opened, open } = gate();
      const aborted: unknown[] = [];
      const note = (hook: string) => (signal: AbortSignal) => void aborted.push([hook, signal.aborted]);
      add('a', { stop: note('stop'), stopped: note('stopped') });
      add('b', { stop: () => opened });
      await started();
      const stop = host.stop();
      await clock.advance('30s');
      await stop;
      // Side by side, the first is called before the deadline.
      expect(aborted).toEqual([
        ['stop', !servicesStopConcurrently],
        ['stopped', true],
      ]);
      expect(ofType('service.abandoned')).toMatchObject([{ service: 'b', running: ['stop()'] }]);
      open();
      await clock.advance(0);
    },
  );

  it.each(inBothModes)(
    'S14 the stop rejects when $hook throws because its time is up, concurrently $servicesStopConcurrently',
    async ({ hook, servicesStopConcurrently }) => {
      const { add, host, clock, ofType, started } = setup({ servicesStopConcurrently });
      const service = add('a', { [hook]: givingUp });
      await started();
      const failed = errorOf(host.stop());
      await clock.advance('30s');
      expect(await failed).toBeInstanceOf(StoppingError);
      expect(ofType('service.stopFailed')).toHaveLength(1);
      expect(ofType('service.abandoned')).toEqual([]);
      expect(service.state).toBe('stopped');
    },
  );
});
