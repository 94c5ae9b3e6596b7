/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import {
  defineTask,
  type BackgroundEngine,
  type DurableTaskQueue,
  type EnqueueOptions,
  type TaskHandle,
  type TaskQueue,
} from 'nestjs-nightshift';
import { sqliteEngine, type SqliteEngineOptions } from 'nestjs-nightshift/sqlite';
import { describe, expectTypeOf, it } from 'vitest';

const countWords = defineTask<string, number>('count-words');
declare const durable: DurableTaskQueue;
declare const queue: TaskQueue;

/** Compiled, and never run. */
function neverRun(): void {
  // @ts-expect-error: a closure cannot be kept
  void durable.enqueue(() => 1);
  // @ts-expect-error: nor one that says what it does
  void durable.enqueue(async ({ signal }) => signal.aborted, { name: 'count' });
  // @ts-expect-error: a durable queue cannot answer at once
  void durable.tryEnqueue(countWords, 'a b');
  // @ts-expect-error: a payload of another type
  void durable.enqueue(countWords, 2);
  void durable.enqueue(countWords, 'a b', { transaction: {} });
  void queue.enqueue(() => 1);
}

describe('DurableTaskQueue', () => {
  it('takes no closures, and otherwise what every queue takes', () => {
    expectTypeOf(neverRun).returns.toBeVoid();
    expectTypeOf<TaskQueue>().toExtend<DurableTaskQueue>();
    expectTypeOf<DurableTaskQueue>().not.toExtend<TaskQueue>();
    type Enqueued = ReturnType<typeof enqueued>;
    const enqueued = () => durable.enqueue(countWords, 'a b');
    expectTypeOf<Enqueued>().toEqualTypeOf<Promise<TaskHandle<number>>>();
  });

  it('knows keys as texts, and as objects that say more', () => {
    expectTypeOf<{ deduplicationKey: 'k' }>().toExtend<EnqueueOptions>();
    expectTypeOf<{
      deduplicationKey: { key: 'k'; window: '1h'; onConflict: 'replace' };
    }>().toExtend<EnqueueOptions>();
    expectTypeOf<{ concurrencyKey: { key: 'k'; limit: 2 } }>().toExtend<EnqueueOptions>();
    expectTypeOf<{ concurrencyKey: 2 }>().not.toExtend<EnqueueOptions>();
  });

  it('finds tasks by their ids, with a result of whatever type is said', () => {
    const find = () => durable.find<number>('id');
    expectTypeOf(find).returns.toEqualTypeOf<Promise<TaskHandle<number> | undefined>>();
  });
});

describe('sqliteEngine', () => {
  it('needs a file, and makes an engine for forRoot()', () => {
    expectTypeOf(sqliteEngine).returns.toEqualTypeOf<BackgroundEngine>();
    expectTypeOf<{ file: 'a.db' }>().toExtend<SqliteEngineOptions>();
    expectTypeOf<object>().not.toExtend<SqliteEngineOptions>();
  });
});
