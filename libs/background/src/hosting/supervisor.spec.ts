// Long because it is one state machine: every way in which a service is started, stopped, or ends by itself.
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { StoppingError } from '../errors.js';
import { errorOf } from '../error-of.fixture.js';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent, BackgroundEventType } from '../events/events.js';
import { gate, isSettled } from '../gate.fixture.js';
import type { HostedService } from './hosted-service.js';
import type { ServiceMonitor, ServiceRunner } from './service-runner.js';
import { Supervisor } from './supervisor.js';
import { givingUp } from './throwing.fixture.js';

interface Overrides extends Partial<Omit<ServiceRunner, keyof HostedService>>, Partial<HostedService> {
  enabled?: boolean;
}

function setup({ enabled = true, ...own }: Overrides = {}) {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const seen: BackgroundEvent[] = [];
  events.stream.subscribe((event) => seen.push(event));
  const calls: string[] = [];
  const faults: unknown[] = [];
  const stopping = new AbortController();
  const host = {
    events,
    clock,
    shutdownTimeoutMs: 1_000,
    stopping: stopping.signal,
    isOpen: true,
    onFault: (...fault: unknown[]) => void faults.push(fault),
  };
  const monitors: ServiceMonitor[] = [];
  const note = (call: string) => () => void calls.push(call);
  const runner: ServiceRunner = {
    kind: 'ticked',
    attach: (monitor) => void monitors.push(monitor),
    starting: note('starting'),
    start: note('start'),
    started: note('started'),
    begin: note('begin'),
    stopping: note('stopping'),
    stop: note('stop'),
    stopped: note('stopped'),
    ...own,
  };
  const definition = { name: 'a', runner, exceptionBehavior: 'stopHost' as const, enabled };
  const supervisor = new Supervisor(definition, host);
  const ofType = (type: BackgroundEventType) => seen.filter((event) => event.type === type);
  return { clock, calls, faults, host, stopping, supervisor, monitor: monitors[0]!, seen, ofType };
}

function failing(message: string) {
  return () => Promise.reject(new Error(message));
}

describe('The start of a service through its handle', () => {
  it('runs the three hooks, then lets it begin', async () => {
    const { supervisor, calls, clock, seen } = setup();
    await supervisor.start();
    expect(calls).toEqual(['starting', 'start', 'started', 'begin']);
    expect(supervisor.state).toBe('running');
    expect(supervisor.startedAt).toEqual(new Date(clock.now()));
    expect(seen.map(({ type }) => type)).toEqual(['service.started']);
  });

  it('happens once when it is asked for twice', async () => {
    const { supervisor, calls } = setup();
    await Promise.all([supervisor.start(), supervisor.start()]);
    await supervisor.start();
    expect(calls).toHaveLength(4);
  });

  it('is possible for a service that is disabled', async () => {
    const { supervisor } = setup({ enabled: false });
    expect(supervisor.state).toBe('disabled');
    await supervisor.start();
    expect(supervisor.state).toBe('running');
  });

  it('rejects when the host is not open', async () => {
    const { supervisor, host, calls } = setup();
    host.isOpen = false;
    await expect(supervisor.start()).rejects.toMatchObject({
      code: 'ILLEGAL_STATE',
      message: "Starting service 'a' is not possible while the host is not running.",
    });
    expect(calls).toEqual([]);
  });

  it.each([
    ['starting', 'faulted', []],
    ['start', 'faulted', []],
    ['started', 'stopped', ['stopping', 'stop', 'stopped']],
  ] as const)('rejects and releases what it had when %s throws', async (hook, state, released) => {
    const { supervisor, calls } = setup({ [hook]: failing('no') });
    await expect(supervisor.start()).rejects.toThrow('no');
    expect(supervisor).toMatchObject({ state, lastError: new Error('no') });
    expect(calls.filter((call) => call.startsWith('stop'))).toEqual(released);
    expect(calls).not.toContain('begin');
  });

  it('can be tried again after a failure, and forgets the error', async () => {
    const errors = [new Error('no')];
    const start = () => {
      const error = errors.pop();
      if (error) throw error;
    };
    const { supervisor } = setup({ start });
    await expect(supervisor.start()).rejects.toThrow('no');
    await supervisor.start();
    expect(supervisor).toMatchObject({ state: 'running', lastError: undefined });
  });

  it('is given up, and the service counts as stopped, when the host is told to stop meanwhile', async () => {
    const { supervisor, clock, stopping } = setup({ start: givingUp });
    const failed = errorOf(supervisor.start());
    expect(await isSettled(failed, clock)).toBe(false);
    const reason = new StoppingError('the host');
    stopping.abort(reason);
    expect(await isSettled(failed, clock)).toBe(true);
    expect(await failed).toBe(reason);
    expect(supervisor).toMatchObject({ state: 'stopped', lastError: undefined });
  });

  it('waits for a stop that is under way', async () => {
    const { opened, open } = gate();
    const { supervisor, calls } = setup({ stop: () => opened });
    await supervisor.start();
    const stop = supervisor.stop();
    const start = supervisor.start();
    open();
    await Promise.all([stop, start]);
    expect(supervisor.state).toBe('running');
    expect(calls.slice(4)).toEqual(['stopping', 'stopped', 'starting', 'start', 'started', 'begin']);
  });

  it('runs the hooks of the stop first when the service had ended by itself', async () => {
    const { supervisor, calls, monitor, ofType } = setup();
    await supervisor.start();
    monitor.completed();
    calls.length = 0;
    await supervisor.start();
    expect(calls.join(' ')).toBe('stopping stop stopped starting start started begin');
    expect(ofType('service.stopped')).toEqual([]);
  });

  it('is refused while the service is abandoned', async () => {
    const { supervisor, clock } = setup({ inFlight: () => ['execute()'] });
    await supervisor.start();
    await supervisor.stop();
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'ILLEGAL_STATE', state: 'abandoned' });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('The stop of a service through its handle', () => {
  it('does nothing when the service is not running', async () => {
    const quiesced: unknown[] = [];
    const { supervisor, calls, monitor } = setup({ quiesce: (of) => void quiesced.push(of) });
    await supervisor.stop();
    expect(calls).toEqual([]);
    await supervisor.start();
    monitor.completed();
    calls.length = 0;
    await supervisor.stop();
    expect(calls).toEqual([]);
    expect(quiesced).toEqual([]);
    expect(supervisor.state).toBe('completed');
  });

  it('stops it again when it was started again', async () => {
    const { supervisor, calls } = setup();
    await supervisor.start();
    await supervisor.stop();
    await supervisor.start();
    calls.length = 0;
    await supervisor.stop();
    expect(calls).toEqual(['stopping', 'stop', 'stopped']);
    expect(supervisor.state).toBe('stopped');
  });

  it('tells the runner to begin nothing new, then runs the three hooks', async () => {
    const calls: string[] = [];
    const { supervisor, ofType } = setup({
      quiesce: (of) => void calls.push(`quiesce the ${of}`),
      stopping: () => void calls.push('stopping'),
    });
    await supervisor.start();
    await supervisor.stop();
    expect(calls).toEqual(['quiesce the service', 'stopping']);
    supervisor.quiesce();
    expect(calls.at(-1)).toBe('quiesce the host');
    expect(supervisor.state).toBe('stopped');
    expect(ofType('service.stopped')).toMatchObject([{ durationMs: 0 }]);
  });

  it('lets nothing new begin from the moment it is asked for when no start is under way', async () => {
    const quiesced: string[] = [];
    const { supervisor } = setup({ quiesce: (of) => void quiesced.push(of) });
    await supervisor.start();
    const stop = supervisor.stop();
    expect(quiesced).toEqual(['service']);
    await stop;
  });

  it('counts as running until stop is called, and as stopped as soon as that has ended', async () => {
    const states: unknown[] = [];
    const note = () => void states.push([supervisor.state, seen.at(-1)!.type]);
    const { supervisor, seen } = setup({ stopping: note, stop: note, stopped: note });
    await supervisor.start();
    await supervisor.stop();
    expect(states).toEqual([
      ['running', 'service.started'],
      ['stopping', 'service.stopping'],
      ['stopped', 'service.stopped'],
    ]);
  });

  it('waits for a start that is under way, then stops', async () => {
    const { opened, open } = gate();
    const { supervisor, clock } = setup({ start: () => opened });
    const start = supervisor.start();
    const stop = supervisor.stop();
    await clock.advance(0);
    open();
    await Promise.all([start, stop]);
    expect(supervisor.state).toBe('stopped');
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps it from beginning when its started outlasts the deadline and ends while the stop runs', async () => {
    const { opened, open } = gate();
    const starts: Promise<void>[] = [];
    const stop = () => (open(), starts[0]);
    const { supervisor, clock, calls, ofType } = setup({ started: () => opened, stop });
    starts.push(supervisor.start());
    const stopped = supervisor.stop();
    await clock.advance('1s');
    await Promise.all([...starts, stopped]);
    expect(calls).toEqual(['starting', 'start', 'stopping', 'stopped']);
    expect(ofType('service.started')).toEqual([]);
    expect(supervisor.state).toBe('stopped');
  });

  it('runs all hooks and rejects with all errors when several throw', async () => {
    const { supervisor, ofType } = setup({
      stopping: failing('1'),
      stop: failing('2'),
      stopped: failing('3'),
    });
    await supervisor.start();
    const error = await supervisor.stop().catch((reason: unknown) => reason);
    expect((error as AggregateError).errors).toEqual([new Error('1'), new Error('2'), new Error('3')]);
    expect((error as AggregateError).message).toBe("Service 'a' failed to stop.");
    expect(supervisor.state).toBe('stopped');
    expect(ofType('service.stopFailed')).toHaveLength(3);
  });

  it('gives up at the shutdownTimeout of the host, and says so', async () => {
    const reasons: unknown[] = [];
    const { supervisor, clock, ofType } = setup({
      stop: (signal) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return new Promise(() => {});
      },
    });
    await supervisor.start();
    const stop = supervisor.stop();
    await clock.advance('1s');
    await stop;
    expect(reasons).toMatchObject([
      { code: 'STOPPING', message: "The time to stop is up: service 'a' is stopping." },
    ]);
    expect(ofType('service.abandoned')).toMatchObject([{ running: ['stop()'] }]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('What a runner reports', () => {
  it('faulted while stopping leaves the service faulted, not stopped', async () => {
    const { opened, open } = gate();
    const { supervisor, monitor, clock, faults } = setup({ stop: () => opened });
    await supervisor.start();
    const stop = supervisor.stop();
    await clock.advance(0);
    monitor.faulted(new Error('no'));
    open();
    await stop;
    expect(supervisor.state).toBe('faulted');
    expect(faults).toEqual([['a', new Error('no'), 'stopHost']]);
  });

  it('faulted while stopping, with work left at the end, leaves the service abandoned', async () => {
    const { opened, open } = gate();
    const work = ['tick 2'];
    const { supervisor, monitor, clock, ofType } = setup({ stop: () => opened, inFlight: () => work });
    await supervisor.start();
    const stop = supervisor.stop();
    await clock.advance(0);
    monitor.faulted(new Error('tick 1'), 'ignore');
    open();
    await stop;
    expect(ofType('service.abandoned')).toMatchObject([{ running: ['tick 2'] }]);
    expect(supervisor.state).toBe('abandoned');
    work.length = 0;
    monitor.completed();
    expect(supervisor.state).toBe('stopped');
  });

  it('a fault is an event and changes no state when it is reported after the stop', async () => {
    const { supervisor, monitor, ofType } = setup();
    await supervisor.start();
    await supervisor.stop();
    monitor.faulted(new Error('late'), 'ignore');
    expect(ofType('service.faulted')).toMatchObject([{ service: 'a', kind: 'ticked', consequence: 'none' }]);
    expect(supervisor).toMatchObject({ state: 'stopped', lastError: new Error('late') });
  });

  it('a fault after restarts is no giving up when the service is being stopped', async () => {
    const { opened, open } = gate();
    const { supervisor, monitor, clock, ofType } = setup({ stop: () => opened });
    await supervisor.start();
    monitor.restarting(new Error('first'), 10);
    monitor.restarted();
    const stop = supervisor.stop();
    await clock.advance(0);
    monitor.faulted(new Error('second'), 'ignore');
    open();
    await stop;
    expect(ofType('service.gaveUp')).toEqual([]);
    expect(supervisor).toMatchObject({ state: 'faulted', restarts: 1 });
  });

  it('completed is told with the name and the kind of the service', async () => {
    const { supervisor, monitor, ofType } = setup();
    await supervisor.start();
    monitor.completed();
    expect(ofType('service.completed')).toMatchObject([{ service: 'a', kind: 'ticked' }]);
  });

  it('a second fault changes nothing', async () => {
    const { supervisor, monitor, faults, ofType } = setup();
    await supervisor.start();
    monitor.faulted(new Error('first'), 'ignore');
    monitor.faulted(new Error('second'), 'stopHost');
    expect(faults).toEqual([['a', new Error('first'), 'ignore']]);
    expect(ofType('service.faulted')).toHaveLength(1);
    expect(supervisor.lastError).toEqual(new Error('first'));
  });

  it('completed is not told when the service is being stopped, or has ended otherwise', async () => {
    const { supervisor, monitor, ofType } = setup({ stop: () => monitors[0]!.completed() });
    const monitors = [monitor];
    await supervisor.start();
    await supervisor.stop();
    monitor.completed();
    expect(supervisor.state).toBe('stopped');
    expect(ofType('service.completed')).toEqual([]);
  });

  it('a service that begins is not let go when the host is no longer open', async () => {
    const { supervisor, host, calls, seen } = setup();
    host.isOpen = false;
    supervisor.begin();
    expect(calls).toEqual([]);
    expect(seen).toEqual([]);
  });
});
