import type { DroppedTask, InsertOutcome, NewTask, QueueBound, TaskState } from 'nestjs-nightshift';
import type { Database } from './database.js';
import type { StateCounts } from './task-counts.js';
import { endReasons, hasEnded } from './end-reasons.js';
import { createNonce, toId, type TaskKey } from './task-id.js';

interface Twin extends TaskKey {
  readonly name: string;
  readonly state: TaskState;
  readonly dedup_until: number | null;
}

/** Adds tasks: what is the same as another is told by its key, and what does not fit is dropped or refused. */
export class TaskInsertion {
  constructor(
    private readonly database: Database,
    private readonly counts: StateCounts,
  ) {}

  insert(task: NewTask, bound: QueueBound): InsertOutcome {
    const twin = task.deduplication === undefined ? undefined : this.findTwin(task);
    if (twin !== undefined && task.deduplication!.onConflict !== 'replace')
      return { kind: 'duplicate', id: toId(twin), name: twin.name };
    const isFull = this.isFull(task, bound, twin);
    // The first stays as long as the second is not there to take its place.
    if (isFull && bound.fullMode === 'wait') return { kind: 'full' };
    if (isFull && bound.fullMode === 'dropWrite')
      return { kind: 'dropped', id: this.add(task, endReasons.dropped(bound.fullMode)) };
    const replaced = twin && this.replace(task, twin);
    const dropped = isFull ? [this.makeRoom(task, bound.fullMode)] : [];
    return { kind: 'added', id: this.add(task, undefined), dropped, replaced };
  }

  /** The task with its key, unless the key is free by now. */
  private findTwin({ queue, deduplication, enqueuedAtMs }: NewTask): Twin | undefined {
    const twin = this.database
      .sql(
        `SELECT seq, nonce, name, state, dedup_until FROM nightshift_tasks WHERE queue = ? AND dedup_key = ?`,
      )
      .get(queue, deduplication!.key) as Twin | undefined;
    if (twin === undefined) return undefined;
    const isOver = hasEnded(twin.state) && (twin.dedup_until ?? 0) <= enqueuedAtMs;
    if (!isOver) return twin;
    this.takeKey(twin);
    return undefined;
  }

  /** The key passes on; a task that has not begun goes. */
  private replace({ queue, enqueuedAtMs }: NewTask, twin: Twin): DroppedTask | undefined {
    this.takeKey(twin);
    if (twin.state === 'active' || hasEnded(twin.state)) return undefined;
    this.end(queue, twin, 'discarded', enqueuedAtMs, endReasons.replaced());
    return { id: toId(twin), name: twin.name };
  }

  private takeKey({ seq }: TaskKey): void {
    this.database
      .sql('UPDATE nightshift_tasks SET dedup_key = NULL, dedup_until = NULL WHERE seq = ?')
      .run(seq);
  }

  /** @param twin whose place it is to take */
  private isFull({ queue, dueAtMs }: NewTask, { capacity }: QueueBound, twin: Twin | undefined): boolean {
    if (capacity === undefined || dueAtMs !== undefined) return false;
    const left = twin?.state === 'waiting' ? 1 : 0;
    return this.counts.of(queue, 'waiting') - left >= capacity;
  }

  private makeRoom({ queue, enqueuedAtMs }: NewTask, fullMode: QueueBound['fullMode']): DroppedTask {
    const order = fullMode === 'dropOldest' ? 'ASC' : 'DESC';
    const victim = this.database
      .sql(
        `SELECT seq, nonce, name, state FROM nightshift_tasks
         WHERE queue = ? AND state = 'waiting' ORDER BY seq ${order} LIMIT 1`,
      )
      .get(queue) as Twin;
    this.takeKey(victim);
    this.end(queue, victim, 'discarded', enqueuedAtMs, endReasons.dropped(fullMode));
    return { id: toId(victim), name: victim.name };
  }

  private end(queue: string, { seq, state }: Twin, to: TaskState, atMs: number, error: string): void {
    this.database
      .sql(
        `UPDATE nightshift_tasks
         SET state = ?, held = NULL, due_at = NULL, expires_at = NULL, ended_at = ?, error = ? WHERE seq = ?`,
      )
      .run(to, atMs, error, seq);
    this.counts.move(queue, state, to);
  }

  /** @param dropped why it is one that has ended before it began, if it is */
  private add(task: NewTask, dropped: string | undefined): string {
    const { queue, dueAtMs, deduplication, tags, enqueuedAtMs } = task;
    const state = dropped !== undefined ? 'discarded' : dueAtMs !== undefined ? 'scheduled' : 'waiting';
    const nonce = createNonce();
    const isPlain =
      state === 'waiting' &&
      deduplication === undefined &&
      task.concurrencyKey === undefined &&
      task.expiresAtMs === undefined;
    const common = [
      nonce,
      queue,
      task.name,
      task.definition,
      task.payload ?? null,
      state,
      task.priority,
      task.maxAttempts,
      enqueuedAtMs,
      task.options ?? null,
      tags.length === 0 ? null : JSON.stringify(tags),
      task.metadata ?? null,
    ];
    // Most tasks have nothing of the rest, and a value that is not bound costs nothing.
    const { lastInsertRowid } = isPlain
      ? this.database.sql(insertPlain).run(...common)
      : this.database
          .sql(insertWhole)
          .run(
            ...common,
            dropped === undefined ? (dueAtMs ?? null) : null,
            dropped === undefined ? (task.expiresAtMs ?? null) : null,
            dropped === undefined ? (deduplication?.key ?? null) : null,
            deduplication?.untilMs ?? null,
            task.concurrencyKey ?? null,
            task.concurrencyKey === undefined ? null : task.concurrencyLimit,
            dropped === undefined ? null : enqueuedAtMs,
            dropped ?? null,
          );
    this.counts.add(queue, state);
    return toId({ seq: Number(lastInsertRowid), nonce });
  }
}

const plainColumns =
  'nonce, queue, name, definition, payload, state, priority, max_attempts, enqueued_at, options, tags, metadata';
const otherColumns =
  'due_at, expires_at, dedup_key, dedup_until, concurrency_key, concurrency_limit, ended_at, error';
const insertPlain = `INSERT INTO nightshift_tasks (${plainColumns}) VALUES (${marks(12)})`;
const insertWhole = `INSERT INTO nightshift_tasks (${plainColumns}, ${otherColumns}) VALUES (${marks(20)})`;

function marks(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ');
}
