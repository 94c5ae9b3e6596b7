import { describe, expect, it } from 'vitest';
import { IllegalStateError, QueueClosedError } from '../errors.js';
import { gate, isSettled } from '../gate.fixture.js';
import type { ServiceMonitor } from '../hosting/service-runner.js';
import { runInside } from '../scopes/background-context.js';
import { setup as setupQueue } from './queue.fixture.js';
import { resolveQueueOptions, type TaskQueueOptions } from './queue.options.js';

function setup(options: TaskQueueOptions = {}, { begun = true } = {}) {
  const { clock, registry, runner, queue, eventOf } = setupQueue(options, { begun: false });
  const reports: string[] = [];
  const monitor: ServiceMonitor = {
    completed: () => reports.push('completed'),
    faulted: () => reports.push('faulted'),
    restarting: () => reports.push('restarting'),
    restarted: () => reports.push('restarted'),
  };
  runner.attach!(monitor);
  if (begun) runner.begin!();
  const deadline = new AbortController();
  const stop = async (): Promise<void> => runner.stop(deadline.signal);
  return { clock, registry, runner, queue, deadline, stop, eventOf, reports };
}

describe('a queue that is stopped', () => {
  it('Q9 runs everything that was accepted before it has stopped', async () => {
    const { queue, clock, stop, eventOf } = setup();
    const held = gate();
    const ran: string[] = [];
    await queue.enqueue(() => held.opened);
    await queue.enqueue(() => ran.push('waited'));
    const stopped = stop();
    expect(await isSettled(stopped, clock)).toBe(false);
    expect(eventOf('queue.draining')).toMatchObject({ queue: 'default', waiting: 1, active: 1 });
    held.open();
    await stopped;
    expect(ran).toEqual(['waited']);
    expect(eventOf('queue.drained')).toMatchObject({ queue: 'default', completed: 2, durationMs: 0 });
    expect(eventOf('queue.abandoned')).toBeUndefined();
  });

  it('Q10 refuses outsiders, and releases those who wait for space, when it begins to stop', async () => {
    const { queue, stop } = setup({ capacity: 0 });
    const held = gate();
    await queue.enqueue(() => held.opened);
    const blocked = [
      queue.enqueue(() => 1),
      queue.enqueue(() => 2, { signal: new AbortController().signal }),
    ];
    const released = blocked.map((each) => expect(each).rejects.toBeInstanceOf(QueueClosedError));
    const stopped = stop();
    await Promise.all(released);
    await expect(queue.enqueue(() => {})).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    expect(() => queue.tryEnqueue(() => {})).toThrow(QueueClosedError);
    held.open();
    await expect(stopped).resolves.toBeUndefined();
  });

  it('lets running work enqueue, and runs that too, while it drains', async () => {
    const { queue, stop, eventOf } = setup({ concurrency: 2, capacity: 1 });
    const held = gate();
    const ran: string[] = [];
    await queue.enqueue(async () => {
      await held.opened;
      for (const name of ['a', 'b', 'c', 'd']) await queue.enqueue(() => ran.push(name));
      queue.tryEnqueue(() => ran.push('e'));
    });
    const stopped = stop();
    held.open();
    await stopped;
    expect(ran.slice(0, 4)).toEqual(['a', 'b', 'c', 'd']);
    expect(eventOf('queue.drained')).toMatchObject({ completed: ran.length + 1 });
  });

  it('takes whoever calls from inside other background work for no outsider', async () => {
    const { queue, stop } = setup();
    const held = gate();
    await queue.enqueue(() => held.opened);
    const stopped = stop();
    const handle = await runInside(undefined, () => queue.enqueue(() => 'from a service'));
    held.open();
    await stopped;
    expect(await handle.result()).toBe('from a service');
  });

  it('refuses insiders as well when it has stopped', async () => {
    const { queue, stop } = setup();
    await stop();
    await expect(runInside(undefined, () => queue.enqueue(() => 1))).rejects.toBeInstanceOf(QueueClosedError);
  });

  it('has nothing to wait for when it is idle', async () => {
    const { stop, eventOf } = setup();
    await stop();
    expect(eventOf('queue.drained')).toMatchObject({ completed: 0 });
  });

  it('waits at most until the deadline, aborts what runs and names all that is left', async () => {
    const { queue, runner, stop, deadline, eventOf, reports, clock } = setup();
    const held = gate();
    const stubborn = await queue.enqueue(function stubborn() {
      return held.opened;
    });
    const waiting = await queue.enqueue(function patient() {});
    const stopped = stop();
    deadline.abort();
    await stopped;
    expect(eventOf('queue.abandoned')).toMatchObject({
      waiting: [{ taskId: waiting.id, name: 'patient' }],
      running: [{ taskId: stubborn.id, name: 'stubborn' }],
    });
    expect(eventOf('queue.drained')).toBeUndefined();
    await expect(waiting.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED', taskId: waiting.id });
    await expect(stubborn.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED', taskId: stubborn.id });
    expect(runner.inFlight!()).toEqual([`task stubborn (${stubborn.id})`]);
    expect(reports).toEqual([]);
    held.open();
    await clock.advance(0);
    expect([runner.inFlight!(), reports]).toEqual([[], ['completed']]);
    await queue.whenIdle();
  });

  it('names work that ended because the deadline aborted it', async () => {
    const { queue, runner, stop, deadline, eventOf } = setup();
    const heedful = await queue.enqueue(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const stopped = stop();
    deadline.abort();
    await stopped;
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [], running: [{ taskId: heedful.id }] });
    expect(runner.inFlight!()).toEqual([]);
    await expect(heedful.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED' });
    expect(eventOf('task.cancelled')).toMatchObject({ taskId: heedful.id });
  });

  it('keeps the outcome of work that still completes after the deadline aborted it', async () => {
    const { queue, stop, deadline } = setup();
    const handle = await queue.enqueue(
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('saved'))),
    );
    const stopped = stop();
    deadline.abort();
    await stopped;
    expect(await handle.result()).toBe('saved');
  });

  it('refuses its own work that waits for space when the deadline has passed', async () => {
    const { queue, stop, deadline } = setup({ capacity: 0, concurrency: 2 });
    const held = gate();
    await queue.enqueue(() => held.opened);
    const insider = await queue.enqueue(async () =>
      queue.enqueue(() => 1).catch((error: unknown) => (error as QueueClosedError).code),
    );
    const stopped = stop();
    deadline.abort();
    await stopped;
    expect(await insider.result()).toBe('QUEUE_CLOSED');
    held.open();
  });

  it('reports at once what waits in a paused queue, and waits for what runs', async () => {
    const { queue, stop, eventOf, clock } = setup();
    const held = gate();
    const running = await queue.enqueue(() => held.opened);
    const waiting = await queue.enqueue(() => {});
    queue.pause();
    const stopped = stop();
    expect(await isSettled(stopped, clock)).toBe(false);
    held.open();
    await stopped;
    expect(await running.state()).toBe('completed');
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [{ taskId: waiting.id }], running: [] });
  });

  it('does not wait for work that nobody ever began to run', async () => {
    const { queue, stop, eventOf } = setup({}, { begun: false });
    const handle = await queue.enqueue(() => {});
    await stop();
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [{ taskId: handle.id }] });
  });

  it('cannot be started again', async () => {
    const { runner, stop } = setup();
    expect(() => void runner.start(deadlineFree())).not.toThrow();
    await stop();
    expect(() => void runner.start(deadlineFree())).toThrow(IllegalStateError);
  });
});

describe('a queue that is cut off', () => {
  it('names what runs and counts what waits', async () => {
    const { queue, runner, clock } = setup();
    const held = gate();
    const { id } = await queue.enqueue(() => held.opened, { name: 'resize' });
    await queue.enqueue(() => {});
    await clock.advance(0);
    expect(runner.inFlight!()).toEqual([`task resize (${id})`, '1 waiting']);
    held.open();
    await queue.whenIdle();
    expect(runner.inFlight!()).toEqual([]);
  });
});

function setupTwo() {
  const bundle = setup({ name: 'first' });
  const second = bundle.registry.create(resolveQueueOptions({ name: 'second' }, 'queue'));
  const runners = bundle.registry.workers.map(({ runner }) => runner);
  for (const runner of runners) runner.begin!();
  return { ...bundle, second, runners };
}

describe('queues that stop with the host', () => {
  it('drain together, so that work in one may hand over to another whose turn came before', async () => {
    const { queue, second, runners, clock, deadline } = setupTwo();
    const held = gate();
    const ran: string[] = [];
    await queue.enqueue(async () => {
      await held.opened;
      await second.enqueue(() => void ran.push('handed over'));
    });
    for (const runner of runners) runner.quiesce!('host');
    const stopped = (async () => {
      for (const runner of runners.toReversed()) await runner.stop(deadline.signal);
    })();
    expect(await isSettled(stopped, clock)).toBe(false);
    await expect(second.enqueue(() => {})).rejects.toThrow(QueueClosedError);

    held.open();
    await stopped;

    expect(ran).toEqual(['handed over']);
  });

  it('leave the others open when only one is stopped', async () => {
    const { queue, second, runners, deadline } = setupTwo();

    runners[0]!.quiesce!('service');
    await runners[0]!.stop(deadline.signal);

    await expect(queue.enqueue(() => {})).rejects.toThrow(QueueClosedError);
    await expect((await second.enqueue(() => 'ran')).result()).resolves.toBe('ran');
  });
});

describe('close', () => {
  it('reports what waits, and releases producers, when the worker of a queue never ran', async () => {
    const { queue, registry, eventOf } = setup({ capacity: 1 }, { begun: false });
    const handle = await queue.enqueue(() => {});
    const refused = queue.enqueue(() => {}).catch((error: unknown) => error);
    await registry.close();
    expect(await refused).toBeInstanceOf(QueueClosedError);
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [{ taskId: handle.id }] });
  });

  it('leaves alone what has been stopped', async () => {
    const { registry, stop, eventOf } = setup();
    await stop();
    const drained = eventOf('queue.drained');
    await registry.close();
    expect(eventOf('queue.drained')).toBe(drained);
  });
});

function deadlineFree(): AbortSignal {
  return new AbortController().signal;
}
