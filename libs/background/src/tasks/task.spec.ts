import { describe, expect, it } from 'vitest';
import { IllegalStateError } from '../errors.js';
import { LocalTask } from './local-task.js';
import { retryDefaults } from './retry-policy.js';
import { taskTransitions, type TaskState } from './task.js';
import { enqueueDefaults } from './enqueue.options.js';

const final: readonly TaskState[] = ['completed', 'dead', 'discarded', 'cancelled', 'expired'];

function setup() {
  const cancelled: unknown[] = [];
  const owner = {
    name: 'photos',
    madeAtMs: 0,
    retryOptions: retryDefaults,
    onBegun: () => {},
    onCancelled: (_: unknown, ...rest: unknown[]) => cancelled.push(rest),
  };
  const task = new LocalTask(owner, () => {}, enqueueDefaults, 0);
  return { task, cancelled };
}

describe('taskTransitions', () => {
  it('leads from an end back into the line at most, and never from a task that is completed', () => {
    const { completed, ...others } = taskTransitions;
    expect(completed).toEqual([]);
    for (const state of final.filter((each) => each !== 'completed'))
      expect(others[state as keyof typeof others]).toEqual(['waiting']);
  });

  it('leads from every other state to an end', () => {
    const open = Object.entries(taskTransitions).filter(([state]) => !final.includes(state as TaskState));
    expect(open.length).toBe(4);
    for (const [, next] of open) expect(next.some((each) => final.includes(each))).toBe(true);
  });
});

function activate(task: LocalTask): void {
  task.activate();
}

/** What brings a task into a state. */
function pathTo(state: TaskState): ((task: LocalTask) => void)[] {
  const settle = (task: LocalTask): void => task.settle(state, undefined);
  const paths: Partial<Record<TaskState, ((task: LocalTask) => void)[]>> = {
    waiting: [],
    active: [activate],
    scheduled: [(task) => task.holdBack()],
    retrying: [activate, (task) => task.putOff(undefined)],
    expired: [settle],
  };
  return paths[state] ?? [activate, settle];
}

describe('LocalTask', () => {
  it('refuses a change of state that is not in the table', () => {
    const { task } = setup();
    expect(() => task.settle('completed', 1)).toThrow(IllegalStateError);
    task.activate();
    task.settle('completed', 1);
    expect(() => task.activate()).toThrow(/completed/);
  });

  it('is settled in the states that lead nowhere, and in no other', () => {
    for (const state of Object.keys(taskTransitions) as TaskState[]) {
      const { task } = setup();
      for (const step of pathTo(state)) step(task);
      expect([state, task.isSettled]).toEqual([state, final.includes(state)]);
    }
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
