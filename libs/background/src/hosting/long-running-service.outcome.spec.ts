import { describe, expect, it } from 'vitest';
import { logEvents, type LogTarget } from '../events/event-log.js';
import { errorOf } from '../error-of.fixture.js';
import { gate } from '../gate.fixture.js';
import { setup, untilAborted } from './long-running-service.fixture.js';
import { givingUp, nowAndLater, throwing } from './throwing.fixture.js';

const boom = new Error('boom');

function linesOf(events: Parameters<typeof logEvents>[0]): readonly string[] {
  const lines: string[] = [];
  const at = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  const target: LogTarget = { log: at('log'), warn: at('warn'), error: at('error'), debug: at('debug') };
  logEvents(events, target);
  return lines;
}

describe('What the handle tells of execute', () => {
  it('B1 B2 that it runs, when the start has ended and execute has not', async () => {
    const { host, add, clock } = setup();
    const service = add(untilAborted);
    expect(service).toMatchObject({ state: 'idle', startedAt: undefined });
    await host.start();
    expect(service).toMatchObject({ state: 'running', startedAt: new Date(clock.now()) });
    await clock.advance('1h');
    expect(service.state).toBe('running');
    await host.stop();
    expect(service).toMatchObject({ state: 'stopped', lastError: undefined });
  });

  it('B1 that it has completed, or what it threw', async () => {
    const { host, add, clock } = setup();
    const completing = add(() => {}, { name: 'completing' });
    const failing = add(() => Promise.reject(boom), { name: 'failing', ignore: true });
    await host.start();
    await clock.advance(0);
    expect(completing).toMatchObject({ state: 'completed', lastError: undefined });
    expect(failing).toMatchObject({ state: 'faulted', lastError: boom });
    await host.stop();
  });
});

describe('A long-running service among others', () => {
  it.each([false, true])(
    'B3 B31 begins when every other one has started; only its own hooks hold the others up; concurrently %s',
    async (servicesStartConcurrently) => {
      const { host, add, clock } = setup({ servicesStartConcurrently });
      const calls: string[] = [];
      const [early, late] = [gate(), gate()];
      const note = (call: string, until?: Promise<void>) => () => {
        calls.push(call);
        return until;
      };
      add(note('first executes'), { name: 'first' }, { starting: note('first prepares', early.opened) });
      add(note('second executes'), { name: 'second' }, { started: note('second has started', late.opened) });
      const start = host.start();
      await clock.advance(0);
      expect(calls).toEqual(['first prepares']);
      early.open();
      await clock.advance(0);
      expect(calls).toEqual(['first prepares', 'second has started']);
      late.open();
      await start;
      await clock.advance(0);
      expect(calls.slice(2)).toEqual(['first executes', 'second executes']);
      await host.stop();
    },
  );

  it.each(nowAndLater)(
    'B3 B4 B5 B29 its fault is one of a running host, and hides nothing, when execute throws %s',
    async (when) => {
      const { host, add, clock, lifetime, ofType } = setup();
      const signals: AbortSignal[] = [];
      add(throwing(boom, when), { name: 'faulty' });
      const start = (signal: AbortSignal) => clock.advance(0).then(() => void signals.push(signal));
      const other = add(untilAborted, { name: 'other' }, { started: start });
      await host.start();
      await clock.advance(0);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      expect(ofType('host.startFailed')).toEqual([]);
      expect([lifetime.started.aborted, lifetime.stopping.aborted]).toEqual([true, true]);
      expect(other.state).toBe('running');
      expect(await errorOf(host.stop())).toBe(boom);
    },
  );

  it('B25 nothing is executed and nothing faults when stopApplication comes while the host is starting', async () => {
    const { host, add, lifetime, seen } = setup({ servicesStartConcurrently: true });
    const executed: string[] = [];
    const service = add(() => void executed.push('first'), { name: 'first' }, { starting: givingUp });
    add(
      () => void executed.push('second'),
      { name: 'second' },
      { starting: () => lifetime.stopApplication() },
    );
    await host.start();
    await host.stop();
    expect(executed).toEqual([]);
    expect(service).toMatchObject({ state: 'stopped', lastError: undefined });
    const types = seen.map(({ type }) => type);
    expect(types).toEqual(['host.starting', 'host.stopping', 'host.stopped']);
  });

  it.each([false, true])(
    'B30 the others are stopped as ever, in reverse and within the timeout, when one faults, concurrently %s',
    async (servicesStopConcurrently) => {
      const { host, add, clock, ofType } = setup({ servicesStopConcurrently, shutdownTimeout: '5s' });
      const told: string[] = [];
      const { opened, open } = gate();
      const worker = (name: string, until?: Promise<void>) =>
        add((token) => untilAborted(token).then(() => (told.push(name), until)), { name });
      worker('first');
      const deaf = worker('deaf', opened);
      add(() => Promise.reject(boom), { name: 'faulty' });
      worker('last');
      await host.start();
      await clock.advance(0);
      const failed = errorOf(host.stop());
      await clock.advance('5s');
      expect(await failed).toBe(boom);
      expect(told).toEqual(['last', 'deaf', 'first']);
      expect(ofType('service.abandoned')).toMatchObject([{ service: 'deaf' }]);
      open();
      await clock.advance(0);
      expect(deaf.state).toBe('stopped');
    },
  );
});

describe('A fault of execute', () => {
  it('B12 does not reject the stop of the service, only that of the host, when it happens during the stop', async () => {
    const { host, add } = setup();
    const service = add((token) => untilAborted(token).then(() => Promise.reject(boom)));
    await host.start();
    await service.stop();
    expect(service).toMatchObject({ state: 'faulted', lastError: boom });
    expect(host.faults).toEqual([boom]);
    expect(await errorOf(host.stop())).toBe(boom);
  });

  it.each(nowAndLater)('B28 S30 is thrown by the stop as it is when execute throws %s', async (when) => {
    const { host, add, clock } = setup();
    add(throwing(boom, when));
    await host.start();
    await clock.advance(0);
    expect(await errorOf(host.stop())).toBe(boom);
  });

  it('B28 is one of an AggregateError when several services fault, now and later', async () => {
    const { host, add, clock } = setup();
    const other = new Error('other');
    add(() => Promise.reject(boom), { name: 'first' });
    add((token) => untilAborted(token).then(() => Promise.reject(other)), { name: 'second' });
    await host.start();
    await clock.advance(0);
    const error = (await errorOf(host.stop())) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors).toEqual([boom, other]);
  });

  it('B17 is seen also when the class has start() and stop() of its own, which are not called', async () => {
    const { host, add, clock } = setup();
    const called: string[] = [];
    const own = { start: () => void called.push('start'), stop: () => void called.push('stop') };
    const service = add(() => Promise.reject(boom), {}, own);
    await host.start();
    await clock.advance(0);
    expect(service.state).toBe('faulted');
    expect(await errorOf(host.stop())).toBe(boom);
    expect(called).toEqual([]);
  });

  it.each(['starting', 'started'] as const)(
    'B22 is not what a %s is that throws: the start fails, even if faults are ignored',
    async (hook) => {
      const { host, add, ofType } = setup({ exceptionBehavior: 'ignore' });
      add(untilAborted, {}, { [hook]: () => Promise.reject(boom) });
      expect(await errorOf(host.start())).toBe(boom);
      expect(ofType('service.faulted')).toEqual([]);
    },
  );

  it.each(['stopping', 'stopped'] as const)(
    'B22 is not what a %s is that throws: the stop rejects, and nothing has faulted',
    async (hook) => {
      const { host, add, ofType } = setup({ exceptionBehavior: 'ignore' });
      const service = add(untilAborted, {}, { [hook]: () => Promise.reject(boom) });
      await host.start();
      expect(await errorOf(host.stop())).toBe(boom);
      expect([ofType('service.faulted'), host.faults]).toEqual([[], []]);
      expect(service.state).toBe('stopped');
    },
  );

  it.each([
    {
      ignore: false,
      lines: [
        "error Service 'worker' faulted, and the application is being stopped: boom",
        "log Stopping because: service 'worker' faulted. No new ticks",
      ],
    },
    { ignore: true, lines: ["error Service 'worker' faulted, and the others go on: boom"] },
  ])(
    'B19 B20 H36 is logged as an error, and then the host is stopped or not, ignored $ignore',
    async ({ ignore, lines }) => {
      const { host, add, clock, events } = setup();
      add(() => Promise.reject(boom), { ignore });
      await host.start();
      const log = linesOf(events);
      await clock.advance(0);
      expect(log).toEqual(lines);
      expect(await errorOf(host.stop())).toBe(ignore ? undefined : boom);
    },
  );
});
