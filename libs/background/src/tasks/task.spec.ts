import { describe, expect, it } from 'vitest';
import { IllegalStateError } from '../errors.js';
import { MemoryTask } from './memory-task.js';
import { taskTransitions, type TaskState } from './task.js';
import { enqueueDefaults } from './tasks.options.js';

const final: readonly TaskState[] = ['completed', 'dead', 'discarded', 'cancelled', 'expired'];

function setup() {
  const cancelled: unknown[] = [];
  const owner = {
    name: 'photos',
    madeAtMs: 0,
    onCancelled: (_: unknown, ...rest: unknown[]) => cancelled.push(rest),
  };
  const task = new MemoryTask(owner, () => {}, enqueueDefaults, 0);
  return { task, cancelled };
}

describe('taskTransitions', () => {
  it('leads nowhere from a final state, and somewhere from every other', () => {
    for (const [state, next] of Object.entries(taskTransitions)) {
      expect(next.length === 0).toBe(final.includes(state as TaskState));
    }
  });
});

describe('MemoryTask', () => {
  it('refuses a change of state that is not in the table', () => {
    const { task } = setup();
    expect(() => task.settle('completed', 1)).toThrow(IllegalStateError);
    task.activate();
    task.settle('completed', 1);
    expect(() => task.activate()).toThrow(/completed/);
  });

  it('keeps the first reason when it is aborted twice', () => {
    const { task } = setup();
    task.abort('first');
    task.abort('second');
    expect([task.abortedBecause, task.signal.reason]).toEqual(['first', 'first']);
  });

  it('tells its owner of a cancellation, and whether it was running', async () => {
    const [waiting, active] = [setup(), setup()];
    active.task.activate();
    await waiting.task.cancel('why');
    await active.task.cancel('why');
    expect(waiting.cancelled).toEqual([[false, 'why']]);
    expect(active.cancelled).toEqual([[true, 'why']]);
  });
});
