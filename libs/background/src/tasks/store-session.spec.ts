import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, vi } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { processIdentity } from './process-identity.js';
import { StoreSession, type SessionQueue } from './store-session.js';
import type { Heartbeat, Look, TaskStorage } from './task-storage.js';

const process = processIdentity();

function setup() {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const failures: string[] = [];
  events.on('engine.failed', ({ during }) => failures.push(during));
  const quiet: Heartbeat = { isKnown: true, workers: [], pausedQueues: [], cancellations: [] };
  let workers = 0;
  const storage = {
    name: 'store',
    open: vi.fn<TaskStorage['open']>(() => Promise.resolve()),
    register: vi.fn<TaskStorage['register']>(() => Promise.resolve((workers += 1))),
    unregister: vi.fn<TaskStorage['unregister']>(() => Promise.resolve()),
    beat: vi.fn<TaskStorage['beat']>(() => Promise.resolve(quiet)),
    look: vi.fn<TaskStorage['look']>(() => Promise.resolve(undefined)),
    recover: vi.fn<TaskStorage['recover']>(() => Promise.resolve({ tasks: [], occurrences: 0 })),
    setPaused: vi.fn<TaskStorage['setPaused']>(() => Promise.resolve()),
  };
  const queue = {
    name: 'q',
    onOutsideChange: vi.fn<SessionQueue['onOutsideChange']>(),
    onOutsideEnds: vi.fn<SessionQueue['onOutsideEnds']>(),
    onPaused: vi.fn<SessionQueue['onPaused']>(),
    onCancellation: vi.fn<SessionQueue['onCancellation']>(),
    onRecovered: vi.fn<SessionQueue['onRecovered']>(),
    onSuperseded: vi.fn<SessionQueue['onSuperseded']>(),
    flushNotes: vi.fn<SessionQueue['flushNotes']>(),
    tidyUp: vi.fn<SessionQueue['tidyUp']>(() => Promise.resolve()),
  };
  const options = { leaseMs: 10_000, pollIntervalMs: 100, maxInterruptions: 3 };
  // All that a session calls of a storage.
  const session = new StoreSession(storage as unknown as TaskStorage, options, { clock, events });
  session.add(queue);
  return { clock, failures, quiet, storage, queue, session };
}

const changed: Look = { version: 1, releases: 0, pausedQueues: [], cancellations: [] };

/** Whether the first beats of a worker prune, of which there are these. */
async function turns(worker: number, all: readonly number[]): Promise<boolean[]> {
  const { clock, quiet, storage, queue, session } = setup();
  storage.register.mockResolvedValue(worker);
  const workers = all.map((each) => ({ worker: each, beat: 1, process }));
  storage.beat.mockResolvedValue({ ...quiet, workers });
  await session.worker();
  await clock.advance('10s');
  return queue.tidyUp.mock.calls.slice(0, 4).map(([isTurn]) => isTurn);
}

describe('StoreSession', () => {
  it('does nothing until somebody asks for a worker, or watches', async () => {
    const { clock, storage, session } = setup();
    await clock.advance('1m');
    expect(storage.beat).not.toHaveBeenCalled();
    expect(clock.pendingTimers).toBe(0);
    await session.close();
    expect(storage.unregister).not.toHaveBeenCalled();
  });

  it('is one worker, however often it is asked, and gives a sign of life four times in a lease', async () => {
    const { clock, storage, session } = setup();
    expect(await Promise.all([session.worker(), session.worker()])).toEqual([1, 1]);
    await clock.advance('10s');
    expect(storage.register).toHaveBeenCalledTimes(1);
    expect(storage.beat.mock.calls.length).toBe(5);
  });

  it('tries again to register when that has failed', async () => {
    const { clock, storage, session } = setup();
    storage.register.mockRejectedValueOnce(new Error('busy'));
    await expect(session.worker()).rejects.toThrow('busy');
    expect(clock.pendingTimers).toBe(0);
    expect(await session.worker()).toBe(1);
  });

  it('tells of a heartbeat that has failed, and beats on', async () => {
    const { clock, storage, session, failures } = setup();
    await session.worker();
    await clock.advance(0);
    storage.beat.mockRejectedValueOnce(new Error('busy'));
    await clock.advance('2500ms');
    expect(failures).toEqual(['heartbeat']);
    await clock.advance('2500ms');
    expect(storage.beat).toHaveBeenCalledTimes(3);
  });

  it('tells of what a driver says has failed, of one and the same error once', async () => {
    const { storage, session, failures } = setup();
    await session.open();
    const [tellFailure] = storage.open.mock.calls[0]!;
    const error = new Error('no permission');
    tellFailure('take over jobs', error);
    tellFailure('take over jobs', error);
    tellFailure('take over jobs', new Error('no permission'));
    expect(failures).toEqual(['take over jobs', 'take over jobs']);
    await session.close();
    tellFailure('take over jobs', new Error('closed'));
    expect(failures).toHaveLength(2);
  });

  it('begins anew as another worker when it was taken for dead', async () => {
    const { clock, quiet, storage, queue, session } = setup();
    await session.worker();
    await clock.advance(0);
    storage.beat.mockResolvedValueOnce({ ...quiet, isKnown: false });
    await clock.advance('2500ms');
    expect(queue.onSuperseded).toHaveBeenCalledTimes(1);
    expect(await session.worker()).toBe(2);
    await clock.advance('2500ms');
    expect(storage.beat).toHaveBeenLastCalledWith(2);
  });

  it('gives back the tasks of a worker that gives no sign for as long as a lease', async () => {
    const { clock, quiet, storage, queue, session } = setup();
    const task = { id: '7-x', name: 'wrap', queue: 'q', isDead: false };
    storage.beat.mockResolvedValue({ ...quiet, workers: [{ worker: 9, beat: 4, process }] });
    storage.recover.mockResolvedValueOnce({ tasks: [task, { ...task, queue: 'another' }], occurrences: 2 });
    const released = vi.fn<() => void>();
    session.onReleased(released);
    await session.worker();
    await clock.advance('9s');
    expect(storage.recover).not.toHaveBeenCalled();
    await clock.advance('1s');
    expect(storage.recover).toHaveBeenCalledWith([9], clock.now(), 3);
    expect(queue.onRecovered).toHaveBeenCalledWith([task]);
    expect(released).toHaveBeenCalledTimes(1);
  });

  it('passes on what others have changed, and asks only for what is new', async () => {
    const { clock, storage, queue, session } = setup();
    const cancellation = { queue: 'q', id: '7-x', error: { name: 'Error', message: 'enough' } };
    const look = {
      ...changed,
      pausedQueues: ['q'],
      cancellations: [cancellation, { ...cancellation, queue: 'x' }],
    };
    storage.look.mockResolvedValueOnce(look);
    session.watch();
    await clock.advance(100);
    expect(queue.onOutsideChange).toHaveBeenCalledTimes(1);
    expect(queue.onPaused).toHaveBeenCalledWith(true);
    expect(queue.onCancellation.mock.calls).toEqual([[cancellation]]);
    await clock.advance(100);
    expect(storage.look).toHaveBeenLastCalledWith(undefined, 1);
    expect(queue.onOutsideChange).toHaveBeenCalledTimes(1);
  });

  it('tells tasks that have come from tasks that have ended when the storage knows that it is only those', async () => {
    const { clock, storage, queue, session } = setup();
    storage.look
      .mockResolvedValueOnce(changed)
      .mockResolvedValueOnce({ version: 2, only: 'ends' })
      .mockResolvedValueOnce({ version: 2, only: 'tasks' });
    session.watch();
    await clock.advance(200);
    expect(queue.onOutsideEnds).toHaveBeenCalledTimes(1);
    expect(queue.onOutsideChange).toHaveBeenCalledTimes(1);
    await clock.advance(100);
    expect(queue.onOutsideEnds).toHaveBeenCalledTimes(1);
    expect(queue.onOutsideChange).toHaveBeenCalledTimes(2);
    expect(queue.onPaused.mock.calls).toEqual([[false]]); // of which they say nothing
    await clock.advance(100);
    expect(storage.look).toHaveBeenLastCalledWith(undefined, 2);
  });

  it('prunes as often as if it were alone when workers take turns', async () => {
    expect(await turns(7, [7])).toEqual([true, true, true, true]);
    expect(await turns(3, [7, 3])).toEqual([false, true, false, true]);
    expect(await turns(7, [7, 3])).toEqual([true, false, true, false]);
  });

  it('tells of a look that has failed, and looks again', async () => {
    const { clock, storage, queue, session, failures } = setup();
    storage.look.mockRejectedValueOnce(new Error('busy')).mockResolvedValueOnce(changed);
    session.watch();
    await clock.advance(200);
    expect(failures).toEqual(['look for changes']);
    expect(queue.onOutsideChange).toHaveBeenCalledTimes(1);
  });

  it('leaves no timer when it is closed, and says that it has gone', async () => {
    const { clock, storage, session } = setup();
    await session.worker();
    await clock.advance('1s');
    await session.close();
    expect(clock.pendingTimers).toBe(0);
    expect(storage.unregister).toHaveBeenCalledWith(1, clock.now());
    await clock.advance('1m');
    expect(clock.pendingTimers).toBe(0);
  });
});
