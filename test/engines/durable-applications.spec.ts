import { writeFileSync } from 'node:fs';
import { Inject, Injectable } from '@nestjs/common';
import {
  BackgroundAdmin,
  BackgroundModule,
  BackgroundService,
  defineTask,
  DurableTaskQueue,
  getTaskQueueToken,
  memoryEngine,
  NotSupportedError,
  PartlyEnqueuedError,
  TaskHandler,
  TaskQueue,
  type PayloadOf,
  type TaskContext,
  type TickContext,
} from 'nestjs-nightshift';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, vi } from 'vitest';
import { databaseFile, start } from './application.js';

const bake = defineTask<{ sweet: string }, string>('bake', {
  retry: { maxAttempts: 2, backoff: { delayMs: () => 1 } },
});

@TaskHandler(bake)
class Baker implements TaskHandler<typeof bake> {
  handle({ sweet }: PayloadOf<typeof bake>, context: TaskContext): string {
    if (sweet === 'stone') throw new TypeError('cannot be baked', { cause: new Error('it is hard') });
    context.log(`baking ${sweet}`);
    return `baked ${sweet}`;
  }
}

const unique = defineTask<string>('unique', {
  deduplicationKey: (key) => ({ key, onConflict: 'reject' }),
});

@TaskHandler(unique)
class Unique implements TaskHandler<typeof unique> {
  handle(): void {}
}

describe('an application with an engine', () => {
  it('does not start when the engine cannot be opened, and says why', async () => {
    const file = databaseFile();
    writeFileSync(
      file,
      'this is no database, but a text that is long enough to be taken for the header of one',
    );
    await expect(start({ engine: sqliteEngine({ file }) })).rejects.toMatchObject({
      code: 'SQLITE_FILE_CORRUPT',
      message: expect.stringContaining(file) as string,
    });
  });

  it('goes on after a restart with what it had accepted, paused or not', async () => {
    const file = databaseFile();
    const first = await start({ engine: sqliteEngine({ file }) }, [Baker]);
    await first.queue.pause();
    const task = await first.queue.enqueue(bake, { sweet: 'fudge' }, { tags: ['today'] });
    expect(await task.state()).toBe('waiting');
    const unfinished = task.result().catch((error: unknown) => error);
    await first.app.close();
    expect(await unfinished).toMatchObject({ code: 'TASK_UNFINISHED' });

    const second = await start({ engine: sqliteEngine({ file }) }, [Baker]);
    const found = await second.queue.find<string>(task.id);
    expect(second.queue.isPaused).toBe(true);
    await second.queue.resume();
    expect(await found!.result()).toBe('baked fudge');
    expect(await second.app.get(BackgroundAdmin).task('default', task.id)).toMatchObject({
      state: 'completed',
      attempt: 1,
      tags: ['today'],
      payload: { sweet: 'fudge' },
      result: 'baked fudge',
      log: [{ message: 'baking fudge' }],
    });
  });

  it('keeps dead tasks with their attempts and causes, and runs them again by hand', async () => {
    const { app, queue, seen } = await start({ engine: sqliteEngine({ file: ':memory:' }) }, [Baker]);
    const admin = app.get(BackgroundAdmin);
    const task = await queue.enqueue(bake, { sweet: 'stone' });
    await expect(task.result()).rejects.toThrow('cannot be baked');
    const error = { name: 'TypeError', message: 'cannot be baked', cause: { message: 'it is hard' } };
    expect(await admin.task('default', task.id)).toMatchObject({
      state: 'dead',
      attempt: 2,
      error,
      attempts: [
        { attempt: 1, outcome: 'failed', error },
        { attempt: 2, outcome: 'failed', error },
      ],
    });
    const baker = vi.spyOn(app.get(Baker), 'handle').mockReturnValue('with patience');
    expect(await admin.retryTasks('default', { states: ['dead'], error: 'BAKED' })).toBe(1);
    expect(await task.result()).toBe('with patience');
    expect(baker).toHaveBeenCalledOnce();
    expect(await admin.counts('default')).toMatchObject({ dead: 0, completed: 1 });
    expect(seen.filter(({ type }) => type === 'task.retried')).toHaveLength(1);
  });

  it('refuses a closure, and accepts nothing then', async () => {
    const { queue, app } = await start({ engine: sqliteEngine({ file: ':memory:' }) });
    await expect(queue.enqueue(() => {})).rejects.toMatchObject({
      code: 'CLOSURE_NOT_DURABLE',
      message: expect.stringMatching(/defineTask\(\).*memoryEngine\(\)/s) as string,
    });
    expect(() => queue.tryEnqueue(() => {})).toThrow(/tryEnqueue/);
    expect((await app.get(BackgroundAdmin).searchTasks('default')).tasks).toEqual([]);
  });

  it('says which of several tasks it has accepted when it does not accept all', async () => {
    const { queue, app } = await start({ engine: sqliteEngine({ file: ':memory:' }) }, [Unique]);
    await queue.pause();
    const error = await queue.enqueueMany(unique, ['a', 'b', 'a']).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PartlyEnqueuedError);
    expect(error).toMatchObject({ handles: [{}, {}], cause: { code: 'DUPLICATE_TASK', key: 'a' } });
    expect(await app.get(BackgroundAdmin).counts('default')).toMatchObject({ waiting: 2 });
  });

  it('is closed when the start ends because a queue cannot be made', async () => {
    const [main, other] = [sqliteEngine({ file: ':memory:' }), sqliteEngine({ file: ':memory:' })];
    const closed = [main, other].map((engine) => vi.spyOn(engine, 'close'));
    vi.spyOn(other, 'createQueue').mockImplementation(() => {
      throw new NotSupportedError('other', 'capacity', 'it has no bounds');
    });
    const queues = BackgroundModule.registerQueue({ name: 'mail' }, { name: 'cake', engine: other });
    const started = start({ engine: main }, [], [queues]);
    await expect(started).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    for (const close of closed) expect(close).toHaveBeenCalledOnce();
  });

  it('can have a queue in memory beside durable ones', async () => {
    const queues = BackgroundModule.registerQueue(
      { name: 'cache', engine: memoryEngine() },
      { name: 'mail' },
    );
    const { app, queue } = await start({ engine: sqliteEngine({ file: ':memory:' }) }, [], [queues]);
    const cache = app.get<TaskQueue>(getTaskQueueToken('cache'));
    const mail = app.get<TaskQueue>(getTaskQueueToken('mail'));
    expect([queue, mail, cache].map(({ isDurable }) => isDurable)).toEqual([true, true, false]);
    expect(await (await cache.enqueue(() => 'warm')).result()).toBe('warm');
  });

  it('injects the default queue as a DurableTaskQueue', async () => {
    @Injectable()
    class Producer {
      constructor(
        readonly queue: DurableTaskQueue,
        @Inject(TaskQueue) readonly same: TaskQueue,
      ) {}
    }
    const { app } = await start({ engine: sqliteEngine({ file: ':memory:' }) }, [Producer]);
    const { queue, same } = app.get(Producer);
    expect(queue).toBe(same);
  });

  it('cannot share one engine object with another application', async () => {
    const engine = sqliteEngine({ file: ':memory:' });
    const { app } = await start({ engine });
    await expect(start({ engine })).rejects.toMatchObject({ code: 'ILLEGAL_STATE' });
    await app.close();
    await expect(start({ engine })).resolves.toBeDefined();
  });

  it('only enqueues where nothing is enabled, without a warning, and another process runs it', async () => {
    const file = databaseFile();
    const web = await start({ engine: sqliteEngine({ file }), enabled: false }, [Baker]);
    const task = await web.queue.enqueue(bake, { sweet: 'humbug' });
    await start({ engine: sqliteEngine({ file }) }, [Baker]);
    expect(await task.result()).toBe('baked humbug');
    const codes = web.seen.flatMap((event) => (event.type === 'host.warning' ? event.code : []));
    expect(codes).not.toContain('QUEUE_NOT_RUN');
    await web.app.close();
    const told = web.seen.map(({ type }) => type);
    expect(told.filter((type) => type === 'task.started' || type.startsWith('queue.'))).toEqual([]);
  });

  it('parks tasks whose handler has gone, and runs them when there is one', async () => {
    const file = databaseFile();
    const old = await start({ engine: sqliteEngine({ file }), enabled: false }, [Baker]);
    const task = await old.queue.enqueue(bake, { sweet: 'toffee' });
    await old.app.close();
    const without = await start({ engine: sqliteEngine({ file }) });
    const parked = new Promise((resolve) => without.events.on('queue.parked', resolve));
    expect(await parked).toMatchObject({ queue: 'default', definitions: ['bake'] });
    const admin = without.app.get(BackgroundAdmin);
    expect(await admin.task('default', task.id)).toMatchObject({ state: 'waiting', heldBack: 'noHandler' });
    expect(await admin.counts('default')).toMatchObject({ waiting: 1, heldBack: 1, dead: 0 });
    await without.app.close();
    const again = await start({ engine: sqliteEngine({ file }) }, [Baker]);
    expect(await (await again.queue.find(task.id))!.result()).toBe('baked toffee');
  });
});

describe('ticks with an engine', () => {
  it('run once for each occurrence over all applications on the file when they are exclusive', async () => {
    const file = databaseFile();
    const clock = new ManualClock({ now: '2026-01-01T00:00:30Z' });
    const ticks: string[] = [];
    const createReport = () => {
      @BackgroundService({ name: 'report', every: '1m', exclusive: true })
      class Report {
        execute(_: AbortSignal, tick?: TickContext): void {
          ticks.push(tick!.scheduledAt.toISOString());
        }
      }
      return Report;
    };
    for (let i = 0; i < 3; i += 1)
      await start({ clock, engine: sqliteEngine({ file, pollInterval: '1s' }) }, [createReport()]);
    await clock.advance('3m');
    await vi.waitFor(() =>
      expect(ticks).toEqual(['01', '02', '03'].map((minute) => `2026-01-01T00:${minute}:00.000Z`)),
    );
  });

  it('make good what was due while the application was down', async () => {
    const file = databaseFile();
    const ticks: { at: string; missed: number }[] = [];
    const startAt = async (now: string) => {
      @BackgroundService({ name: 'cleanup', cron: '0 3 * * *', timeZone: 'UTC' })
      class Cleanup {
        execute(_: AbortSignal, tick?: TickContext): void {
          ticks.push({ at: tick!.scheduledAt.toISOString(), missed: tick!.missed });
        }
      }
      const clock = new ManualClock({ now });
      const engine = sqliteEngine({ file, pollInterval: '1m', lease: '4m' });
      return { clock, ...(await start({ clock, engine }, [Cleanup])) };
    };
    const first = await startAt('2026-01-01T02:59:30Z');
    await first.clock.advance('1m');
    await vi.waitFor(() => expect(ticks).toHaveLength(1));
    await first.app.close();
    await startAt('2026-01-04T09:00:00Z');
    await vi.waitFor(() => expect(ticks).toHaveLength(2));
    expect(ticks).toEqual([
      { at: '2026-01-01T03:00:00.000Z', missed: 0 },
      { at: '2026-01-04T03:00:00.000Z', missed: 2 },
    ]);
  });
});
