import { describe, expect, it } from 'vitest';
import { TaskDroppedError } from '../errors.js';
import { setup } from './held-work.fixture.js';

describe('the full modes', () => {
  const cases = [
    { fullMode: 'dropOldest', dropped: 'a', runs: ['running', 'b', 'c'] },
    { fullMode: 'dropNewest', dropped: 'b', runs: ['running', 'a', 'c'] },
    { fullMode: 'dropWrite', dropped: 'c', runs: ['running', 'a', 'b'] },
  ] as const;

  it.each(cases)('drops $dropped when full in mode $fullMode', async ({ fullMode, dropped, runs }) => {
    const lost: string[] = [];
    const onDropped = ({ id }: { id: string }): void => void lost.push(id);
    const { queue, seen, ran, held, finish, open } = setup({ capacity: 2, fullMode, onDropped });
    open();
    await queue.enqueue(held('running'));
    const names = ['a', 'b', 'c'] as const;
    const handles = [];
    for (const name of names) handles.push(await queue.enqueue(held(name)));
    const victim = handles[names.indexOf(dropped)]!;
    expect(lost).toEqual([victim.id]);
    expect(await victim.state()).toBe('discarded');
    await expect(victim.result()).rejects.toBeInstanceOf(TaskDroppedError);
    await expect(victim.result()).rejects.toMatchObject({ code: 'TASK_DROPPED', fullMode });
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'task.dropped', taskId: victim.id, fullMode }),
    );
    for (const name of runs) await finish(name);
    expect(ran).toEqual(runs);
    await queue.whenIdle();
  });

  it.each(['dropOldest', 'dropNewest', 'dropWrite'] as const)(
    'drops only what exceeds the capacity while paused in mode %s',
    async (fullMode) => {
      const lost: unknown[] = [];
      const { queue, held, open } = setup({ capacity: 2, fullMode, onDropped: (task) => lost.push(task) });
      open();
      queue.pause();
      for (const name of ['a', 'b', 'c', 'd']) await queue.enqueue(held(name));
      expect([queue.size, queue.active, lost.length]).toEqual([2, 0, 2]);
      queue.resume();
      expect([queue.size, queue.active]).toEqual([1, 1]);
    },
  );

  it('gives tryEnqueue undefined when the task itself is what is dropped', async () => {
    const { queue, held } = setup({ capacity: 1, fullMode: 'dropWrite' });
    expect(queue.tryEnqueue(held('a'))).toBeDefined();
    expect(queue.tryEnqueue(held('b'))).toBeUndefined();
    expect(queue.size).toBe(1);
  });

  it.each(['dropOldest', 'dropNewest', 'dropWrite'] as const)(
    'drops the task itself when the capacity is 0 and nobody is free in mode %s',
    async (fullMode) => {
      const { queue, held, open } = setup({ capacity: 0, fullMode });
      open();
      expect(await (await queue.enqueue(held('a'))).state()).toBe('active');
      expect(await (await queue.enqueue(held('b'))).state()).toBe('discarded');
    },
  );

  it('announces no task that is dropped at once', async () => {
    const { queue, seen, held } = setup({ capacity: 1, fullMode: 'dropWrite' });
    await queue.enqueue(held('a'));
    await queue.enqueue(held('b'));
    expect(seen.map(({ type }) => type)).toEqual(['task.enqueued', 'task.dropped']);
  });

  it('reports an onDropped that throws and accepts the task when it drops another', async () => {
    const error = new Error('from onDropped');
    const onDropped = (): never => {
      throw error;
    };
    const { queue, seen, held } = setup({ capacity: 1, fullMode: 'dropOldest', onDropped });
    await queue.enqueue(held('a'));
    expect(await (await queue.enqueue(held('b'))).state()).toBe('waiting');
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'listener.failed', during: 'task.dropped', error }),
    );
  });
});
