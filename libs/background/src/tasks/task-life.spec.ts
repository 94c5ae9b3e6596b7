import { describe, expect, it } from 'vitest';
import { TaskCancelledError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import type { TaskContext } from '../scopes/context.js';
import { heedful, setup } from './queue.fixture.js';

describe('the outcome of a task', () => {
  it('is what the work returned when it completes', async () => {
    const { queue, typesOf } = setup();
    const handle = await queue.enqueue(async () => 42);
    expect(await handle.result()).toBe(42);
    expect(await handle.result()).toBe(42);
    expect(await handle.state()).toBe('completed');
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.completed']);
  });

  it('can be asked for after the end', async () => {
    const { queue, clock } = setup();
    const handle = await queue.enqueue(() => 'soon done');
    const failed = await queue.enqueue(() => Promise.reject(new Error('late')));
    await clock.advance(0);
    expect(await handle.result()).toBe('soon done');
    await expect(failed.result()).rejects.toThrow('late');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('Q7 is its error, and the queue goes on, when the work %s', async (_, work) => {
    const { queue, seen, typesOf } = setup();
    const handle = await queue.enqueue(work);
    const next = await queue.enqueue(() => 'next');
    await expect(handle.result()).rejects.toThrow('broken');
    expect(await handle.state()).toBe('dead');
    expect(await next.result()).toBe('next');
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.failed']);
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'task.failed', error: expect.objectContaining({ message: 'broken' }) }),
    );
  });

  it('Q13 is an event and nothing else when nobody asks for it', async () => {
    const { queue, clock, seen } = setup();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    await queue.enqueue(() => Promise.reject(new Error('nobody asks')));
    await (await queue.enqueue(heedful)).cancel();
    await clock.advance(0);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    expect(seen.filter(({ type }) => type === 'task.failed')).toHaveLength(1);
  });

  it('names the function that does the work', async () => {
    const { queue } = setup();
    const handle = await queue.enqueue(function resizePhotos() {});
    expect(handle.name).toBe('resizePhotos');
    expect((await queue.enqueue(() => {})).name).toBe('anonymous');
  });
});

describe('cancel', () => {
  it('keeps a waiting task from running', async () => {
    const { queue, typesOf } = setup();
    const held = gate();
    const ran: string[] = [];
    await queue.enqueue(() => held.opened);
    const handle = await queue.enqueue(() => ran.push('cancelled'));
    const last = await queue.enqueue(() => ran.push('last'));
    expect(await handle.cancel('not needed')).toBe(true);
    expect([queue.size, await handle.state()]).toEqual([1, 'cancelled']);
    held.open();
    await last.result();
    expect(ran).toEqual(['last']);
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.cancelled']);
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_CANCELLED', cause: 'not needed' });
  });

  it('keeps a task from running when it was about to begin', async () => {
    const { queue, clock } = setup();
    const ran: string[] = [];
    const handle = queue.tryEnqueue(() => ran.push('a'))!;
    expect(await handle.cancel()).toBe(true);
    await clock.advance(0);
    expect([ran, queue.active]).toEqual([[], 0]);
    expect(await (await queue.enqueue(() => 'free again')).result()).toBe('free again');
  });

  it('aborts the signal of a running task and rejects its result at once', async () => {
    const { queue, clock } = setup();
    const held = gate();
    const reasons: unknown[] = [];
    const handle = await queue.enqueue(({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return held.opened;
    });
    await clock.advance(0);
    expect(await handle.cancel({ by: 'user' })).toBe(true);
    const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TaskCancelledError);
    expect(error).toMatchObject({ taskId: handle.id, queue: 'default', cause: { by: 'user' } });
    expect(reasons).toEqual([error]);
    expect(queue.active).toBe(1);
    held.open();
    await queue.whenIdle();
    expect(await handle.state()).toBe('cancelled');
  });

  it('gives an aborted signal to work that first looks at it later', async () => {
    const { queue, clock } = setup();
    const held = gate();
    const looked = gate<boolean>();
    const handle = await queue.enqueue(async (context) => {
      await held.opened;
      looked.open(context.signal.aborted);
    });
    await clock.advance(0);
    await handle.cancel();
    held.open();
    expect(await looked.opened).toBe(true);
  });

  it('returns false when the task has ended or is cancelled already', async () => {
    const { queue } = setup();
    const done = await queue.enqueue(() => {});
    await done.result();
    expect(await done.cancel()).toBe(false);
    queue.pause();
    const waiting = await queue.enqueue(() => {});
    expect([await waiting.cancel(), await waiting.cancel()]).toEqual([true, false]);
  });

  it('is harmless when a listener of the signal cancels once more', async () => {
    const { queue, clock } = setup();
    const answers: Promise<boolean>[] = [];
    const handle = await queue.enqueue(({ signal }) => {
      signal.addEventListener('abort', () => answers.push(handle.cancel('again')));
      return heedful({ signal } as TaskContext);
    });
    await clock.advance(0);
    expect(await handle.cancel('first')).toBe(true);
    expect(await Promise.all(answers)).toEqual([false]);
    await expect(handle.result()).rejects.toMatchObject({ cause: 'first' });
  });

  it('gives the place of a waiting task free', async () => {
    const { queue } = setup({ capacity: 3 });
    queue.pause();
    const handles = [];
    for (const name of ['a', 'b', 'c']) handles.push(await queue.enqueue(() => name));
    await handles[1]!.cancel();
    expect(queue.size).toBe(2);
    const added = queue.tryEnqueue(() => 'd')!;
    expect(queue.tryEnqueue(() => 'e')).toBeUndefined();
    queue.resume();
    expect(await Promise.all([handles[0]!, handles[2]!, added].map((handle) => handle.result()))).toEqual([
      'a',
      'c',
      'd',
    ]);
  });

  it('admits a producer who waits when the tasks at the front are cancelled', async () => {
    const { queue } = setup({ capacity: 2 });
    queue.pause();
    const [first, second] = [await queue.enqueue(() => 1), await queue.enqueue(() => 2)];
    const blocked = queue.enqueue(() => 3);
    await second.cancel();
    await first.cancel();
    const handle = await blocked;
    expect(queue.size).toBe(1);
    queue.resume();
    expect(await handle.result()).toBe(3);
  });

  it('lets a dropping queue drop nothing while cancelled tasks make room', async () => {
    const lost: unknown[] = [];
    const { queue } = setup({ capacity: 2, fullMode: 'dropNewest', onDropped: (task) => lost.push(task) });
    queue.pause();
    const [, second] = [await queue.enqueue(() => 1), await queue.enqueue(() => 2)];
    await second.cancel();
    await queue.enqueue(() => 3);
    expect([queue.size, lost]).toEqual([2, []]);
  });
});
