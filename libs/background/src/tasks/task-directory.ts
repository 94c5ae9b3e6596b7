import type { Clock } from 'nestjs-nightshift/channels';
import type { EndedTasks } from './ended-tasks.js';
import { toErrorRecord } from './error-record.js';
import type { LocalTask } from './local-task.js';
import { unpackPayload } from './payload.js';
import { endStates } from './retention.js';
import type { TaskPlaces } from './task-intake.js';
import {
  passes,
  resolveTaskFilter,
  resolveTaskQuery,
  toCursor,
  type FilteredTask,
  type ResolvedTaskFilter,
} from './task-query.js';
import type {
  ErrorRecord,
  TaskCounts,
  TaskDetails,
  TaskFilter,
  TaskPage,
  TaskQuery,
  TaskRecord,
} from './task-record.js';
import { taskTransitions, type TaskState } from './task.js';

/** Finds the tasks of a queue in memory, wherever they are, and tells of them. */
export class TaskDirectory {
  constructor(
    private readonly clock: Clock,
    private readonly places: Omit<TaskPlaces, 'unique'>,
    private readonly ended: EndedTasks,
  ) {}

  find(id: string): LocalTask | undefined {
    for (const task of this.all()) if (task.knownId === id) return task;
    return undefined;
  }

  details(id: string): TaskDetails | undefined {
    const task = this.find(id);
    if (task === undefined) return undefined;
    return {
      ...this.recordOf(task),
      payload: unpackPayload(task.typed?.payload),
      result: task.currentState === 'completed' ? task.currentOutcome : undefined,
      attempts: task.toldStory?.attempts ?? [],
      log: task.writtenLog?.last() ?? [],
    };
  }

  /** @throws InvalidOptionsError */
  search(query: TaskQuery): TaskPage {
    const { limit, order, after, ...filter } = resolveTaskQuery(query);
    const isAhead = ({ place }: LocalTask): boolean =>
      after === undefined || (order === 'newest' ? place < after : place > after);
    const found = select(this.all(), filter, isAhead);
    found.sort((one, other) => (order === 'newest' ? other.place - one.place : one.place - other.place));
    const page = found.slice(0, limit);
    return {
      tasks: page.map((task) => this.recordOf(task)),
      next: found.length > limit ? toCursor(page.at(-1)!.place) : undefined,
    };
  }

  /** Of those that have not ended. @throws InvalidOptionsError */
  selectOpen(filter: TaskFilter): readonly LocalTask[] {
    return select(this.all(), resolveTaskFilter(filter), (task) => !task.isSettled);
  }

  /** Of those that have ended, and are kept. The oldest first. @throws InvalidOptionsError */
  selectEnded(filter: TaskFilter): readonly LocalTask[] {
    const found = select(this.ended, resolveTaskFilter(filter), () => true);
    return found.toSorted((one, other) => one.place - other.place);
  }

  counts(): TaskCounts {
    const states = Object.keys(taskTransitions) as TaskState[];
    const counts = Object.fromEntries(states.map((state) => [state, 0])) as Record<TaskState, number>;
    const { waiting, held } = this.places;
    counts.waiting = waiting.size;
    counts.scheduled = held.size - held.retrying;
    counts.retrying = held.retrying;
    for (const task of this.handedOut()) counts[task.currentState] += 1;
    for (const state of endStates) counts[state] += this.ended.count(state);
    return { ...counts, heldBack: waiting.heldBack };
  }

  private *handedOut(): Iterable<LocalTask> {
    yield* this.places.workers.tasks;
    yield* this.places.dispatch.taken;
  }

  private *all(): Iterable<LocalTask> {
    yield* this.places.waiting;
    yield* this.places.held;
    yield* this.handedOut();
    yield* this.ended;
  }

  private recordOf(task: LocalTask): TaskRecord {
    const { id, queue, name, typed, currentState: state, options, maxAttempts, enqueuedAt } = task;
    const isToBegin = state === 'waiting' || state === 'scheduled' || state === 'retrying';
    return {
      id,
      queue,
      name,
      definition: typed?.definition,
      state,
      heldBack: task.chain?.isHeldBack === true ? 'concurrencyKey' : undefined,
      priority: options.priority,
      attempt: isToBegin ? task.attempt - 1 : task.attempt,
      maxAttempts,
      enqueuedAt,
      dueAt: this.dateOf(this.places.held.dueAt(task)),
      startedAt: this.dateOf(this.places.workers.begunAt(task)) ?? toDate(task.toldStory?.startedAtMs),
      endedAt: toDate(task.toldStory?.endedAtMs),
      expiresAt: this.dateOf(this.places.expiring.dueAt(task)),
      deduplicationKey: options.deduplication?.key,
      concurrencyKey: options.concurrency?.key,
      tags: options.tags,
      metadata: options.metadata,
      progress: task.writtenLog?.progress,
      error: errorOf(task),
    };
  }

  /** @param at as the clock's `monotonic()` shows it */
  private dateOf(at: number | undefined): Date | undefined {
    if (at === undefined) return undefined;
    const { clock } = this;
    return toDate(Math.min(clock.now() + (at - clock.monotonic()), latestDateMs));
  }
}

/** The latest instant that a `Date` can tell. */
const latestDateMs = 8_640_000_000_000_000;

function select(
  tasks: Iterable<LocalTask>,
  filter: ResolvedTaskFilter,
  isMeant: (task: LocalTask) => boolean,
): LocalTask[] {
  const found: LocalTask[] = [];
  for (const task of tasks) if (isMeant(task) && passes(filter, new Filtered(task))) found.push(task);
  return found;
}

/** A task as a filter looks at it: nothing is made of it that is not looked at. */
class Filtered implements FilteredTask {
  constructor(private readonly task: LocalTask) {}

  get id(): string | undefined {
    return this.task.knownId;
  }

  get name(): string {
    return this.task.name;
  }

  get definition(): string | undefined {
    return this.task.typed?.definition;
  }

  get state(): TaskState {
    return this.task.currentState;
  }

  get tags(): readonly string[] {
    return this.task.options.tags;
  }

  get enqueuedAtMs(): number {
    return this.task.enqueuedAt.getTime();
  }

  get error(): FilteredTask['error'] {
    return errorOf(this.task);
  }
}

/** Whatever a dead task has thrown is its error, also when it was nothing. */
function errorOf({ currentState, currentOutcome }: LocalTask): ErrorRecord | undefined {
  const hasNone = currentState === 'completed' || (currentOutcome === undefined && currentState !== 'dead');
  return hasNone ? undefined : toErrorRecord(currentOutcome);
}

function toDate(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
