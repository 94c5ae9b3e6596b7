import { Injectable, Scope } from '@nestjs/common';
import { constant } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { TaskQueue } from '../tasks/task-queue.js';
import { setup } from './application.fixture.js';

@Injectable({ scope: Scope.REQUEST })
class Attempted implements Disposable {
  static readonly disposed: Attempted[] = [];

  [Symbol.dispose](): void {
    Attempted.disposed.push(this);
  }
}

describe('tasks and time in an application', () => {
  it('resolves a new instance for each attempt, and disposes it before the next', async () => {
    const { app, clock } = await setup([Attempted]);
    const seen: [Attempted, number][] = [];
    const retry = { maxAttempts: 3, backoff: constant('1s') };
    const handle = await app.get(TaskQueue).enqueue(
      async ({ scope, attempt }) => {
        seen.push([await scope.resolve(Attempted), Attempted.disposed.length]);
        if (attempt < 3) throw new Error('once more');
      },
      { retry },
    );
    await clock.advance('2s');
    await handle.result();
    expect(new Set(seen.map(([instance]) => instance)).size).toBe(3);
    expect(seen.map(([, disposedBefore]) => disposedBefore)).toEqual([0, 1, 2]);
    expect(Attempted.disposed).toEqual(seen.map(([instance]) => instance));
  });

  it('waits at stop for what falls due within shutdownTimeout, and reports what does not', async () => {
    const { app, clock, seen } = await setup([]);
    const queue = app.get(TaskQueue);
    const soon = await queue.enqueue(() => 'ran', { delay: '29s' });
    const late = await queue.enqueue(() => 'never', { delay: '31s', name: 'late' });
    const closed = app.close();
    await clock.advance('29s');
    await closed;
    expect(clock.monotonic()).toBe(29_000);
    expect(await soon.result()).toBe('ran');
    await expect(late.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED' });
    expect(seen).toContainEqual(
      expect.objectContaining({
        type: 'queue.abandoned',
        waiting: [{ taskId: late.id, name: 'late' }],
        retrying: [],
        running: [],
      }),
    );
    expect(seen.map(({ type }) => type)).not.toContain('host.deadlinePassed');
  });
});
