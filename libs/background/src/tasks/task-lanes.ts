import { createPriorityChannel } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';
import { TaskChain } from './task-chain.js';

/** The tasks of one priority: those whose time has come go first, as the queue accepted them long ago. */
class Lane {
  readonly due: TaskChain;
  readonly fresh: TaskChain;

  constructor(isHeldBack: boolean) {
    this.due = new TaskChain(true, isHeldBack);
    this.fresh = new TaskChain(false, isHeldBack);
  }

  get first(): LocalTask | undefined {
    return this.due.first ?? this.fresh.first;
  }
}

/** The priority that tasks have of which nothing else is said: its lane is always there. */
const usualPriority = 0;

/**
 * Tasks in the order in which they are to run: by priority, and among equals those first whose time has come. Any can be
 * taken out.
 */
export class TaskLanes implements Iterable<LocalTask> {
  private readonly usual: Lane;
  private readonly others = new Map<number, Lane>();
  /** Those of the other lanes, the most urgent first. An empty lane goes when it comes to the front. */
  private readonly priorities = createPriorityChannel<number>({ compare: (a, b) => a - b });
  private count = 0;
  private freshCount = 0;

  /** @param isHeldBack whether they may not begin yet, because of their `concurrencyKey` */
  constructor(private readonly isHeldBack = false) {
    this.usual = new Lane(isHeldBack);
  }

  get size(): number {
    return this.count;
  }

  /** How many were enqueued to run at once. */
  get fresh(): number {
    return this.freshCount;
  }

  get first(): LocalTask | undefined {
    const { first } = this.usual;
    if (this.others.size === 0) return first;
    const other = this.firstOther();
    return other === undefined || (first !== undefined && other.options.priority > usualPriority)
      ? first
      : other;
  }

  /** @param isDue whether its time has come, and it was not enqueued to run at once */
  append(task: LocalTask, isDue: boolean): void {
    this.chainFor(task, isDue).append(task);
    this.added(isDue);
  }

  /** Puts a task back that has been in front. */
  restore(task: LocalTask, isDue: boolean): void {
    this.chainFor(task, isDue).restore(task);
    this.added(isDue);
  }

  /** Takes out a task that is in one of these lanes. */
  remove(task: LocalTask): void {
    const chain = task.chain!;
    chain.remove(task);
    this.count -= 1;
    if (!chain.isDue) this.freshCount -= 1;
  }

  /** Of those that were enqueued to run at once, the one that has waited longest. */
  get oldest(): LocalTask | undefined {
    return this.freshest(
      (one, other) => one.turn < other.turn,
      ({ first }) => first,
    );
  }

  /** Of those that were enqueued to run at once, the one that came last. */
  get newest(): LocalTask | undefined {
    return this.freshest(
      (one, other) => one.turn > other.turn,
      ({ last }) => last,
    );
  }

  *[Symbol.iterator](): Iterator<LocalTask> {
    for (const { due, fresh } of this.lanes()) {
      yield* due;
      yield* fresh;
    }
  }

  private *lanes(): Iterable<Lane> {
    yield this.usual;
    yield* this.others.values();
  }

  private added(isDue: boolean): void {
    this.count += 1;
    if (!isDue) this.freshCount += 1;
  }

  private firstOther(): LocalTask | undefined {
    const { reader } = this.priorities;
    for (let next = reader.tryPeek(); next !== undefined; next = reader.tryPeek()) {
      const { first } = this.others.get(next)!;
      if (first !== undefined) return first;
      this.others.delete(next);
      reader.tryRead();
    }
    return undefined;
  }

  private chainFor(task: LocalTask, isDue: boolean): TaskChain {
    const lane = this.laneOf(task.options.priority);
    return isDue ? lane.due : lane.fresh;
  }

  private laneOf(priority: number): Lane {
    if (priority === usualPriority) return this.usual;
    let lane = this.others.get(priority);
    if (lane === undefined) {
      lane = new Lane(this.isHeldBack);
      this.others.set(priority, lane);
      this.priorities.writer.tryWrite(priority);
    }
    return lane;
  }

  private freshest(
    goesBefore: (one: LocalTask, other: LocalTask) => boolean,
    endOf: (chain: TaskChain) => LocalTask | undefined,
  ): LocalTask | undefined {
    let found: LocalTask | undefined;
    for (const { fresh } of this.lanes()) {
      const task = endOf(fresh);
      if (task !== undefined && (found === undefined || goesBefore(task, found))) found = task;
    }
    return found;
  }
}
