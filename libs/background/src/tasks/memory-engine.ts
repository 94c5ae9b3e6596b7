import { IllegalStateError, QueueClosedError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import type { LocalTask } from './local-task.js';
import { memoryCapabilities } from './memory-capabilities.js';
import { MemoryTasks } from './memory-tasks.js';
import type { EnqueueRequest, LeftWork, QueueEngine } from './queue-engine.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import { TaskDirectory } from './task-directory.js';
import type { TaskExecutionDependencies } from './task-execution.js';
import type { TaskCounts, TaskDetails, TaskFilter, TaskPage, TaskQuery } from './task-record.js';
import type { DequeuedTask } from './task.js';

/** Keeps the tasks of one queue in this process. What it does with them is in `MemoryTasks`; this is the way in. */
export class MemoryEngine implements QueueEngine {
  readonly capabilities = memoryCapabilities;
  private readonly tasks: MemoryTasks;
  private readonly directory: TaskDirectory;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: TaskExecutionDependencies,
  ) {
    this.tasks = new MemoryTasks(options, dependencies);
    this.directory = new TaskDirectory(dependencies.clock, this.tasks.places, this.tasks.ended);
  }

  get name(): string {
    return this.options.name;
  }

  get capacity(): number {
    return this.tasks.capacity;
  }

  get size(): number {
    return this.tasks.places.waiting.size;
  }

  get active(): number {
    return this.tasks.places.workers.active;
  }

  get scheduled(): number {
    return this.tasks.places.held.size;
  }

  get finished(): number {
    return this.tasks.places.workers.finished;
  }

  get isPaused(): boolean {
    return this.tasks.places.dispatch.isPaused;
  }

  get isClosedToOutsiders(): boolean {
    return this.tasks.isClosedToOutsiders;
  }

  get isOver(): boolean {
    return this.tasks.isOver;
  }

  get runningTasks(): readonly TaskLabel[] {
    return this.tasks.places.workers.labels;
  }

  enqueue(request: EnqueueRequest): Promise<LocalTask> {
    return this.tasks.intake.enqueue(request);
  }

  enqueueMany(requests: readonly EnqueueRequest[]): Promise<readonly LocalTask[]> {
    return this.tasks.intake.enqueueMany(requests);
  }

  tryEnqueue(request: EnqueueRequest): LocalTask | undefined {
    return this.tasks.intake.tryEnqueue(request);
  }

  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    const { concurrency } = this.options;
    if (concurrency > 0) {
      const state = `run by its own workers (concurrency ${concurrency})`;
      return Promise.reject(new IllegalStateError(`queue '${this.name}'`, state, 'dequeue()'));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.isOver) return Promise.reject(new QueueClosedError(this.name));
    return this.tasks.places.dispatch.dequeue(signal);
  }

  pause(): Promise<void> {
    if (!this.isPaused) {
      this.tasks.pause();
      this.dependencies.events.emit('queue.paused', { queue: this.name });
    }
    return Promise.resolve();
  }

  resume(): Promise<void> {
    if (this.isPaused) {
      this.dependencies.events.emit('queue.resumed', { queue: this.name });
      this.tasks.resume();
    }
    return Promise.resolve();
  }

  whenIdle(): Promise<void> {
    return this.tasks.whenIdle();
  }

  find(id: string): Promise<LocalTask | undefined> {
    return Promise.resolve(this.directory.find(id));
  }

  async details(id: string): Promise<TaskDetails | undefined> {
    return this.directory.details(id);
  }

  async search(query: TaskQuery): Promise<TaskPage> {
    return this.directory.search(query);
  }

  async counts(): Promise<TaskCounts> {
    return this.directory.counts();
  }

  async retry(filter: TaskFilter): Promise<number> {
    const tasks = this.directory.selectEnded(filter).filter(isToBeRetried);
    if (this.tasks.isClosed()) throw new QueueClosedError(this.name);
    for (const task of tasks) this.tasks.revive(task);
    this.tasks.places.dispatch.pump();
    return tasks.length;
  }

  async cancel(filter: TaskFilter, reason: unknown): Promise<number> {
    let cancelled = 0;
    // Who hears of the first may have cancelled the second.
    for (const task of this.directory.selectOpen(filter)) if (await task.cancel(reason)) cancelled += 1;
    return cancelled;
  }

  async remove(filter: TaskFilter): Promise<number> {
    const tasks = this.directory.selectEnded(filter);
    for (const task of tasks) this.tasks.ended.remove(task);
    return tasks.length;
  }

  willRunBefore(time: number): boolean {
    return this.tasks.willRunBefore(time);
  }

  whenCalm(): Promise<void> {
    return this.tasks.whenCalm();
  }

  whenQuiet(): Promise<void> {
    return this.tasks.places.workers.whenQuiet();
  }

  open(): void {
    this.tasks.places.dispatch.isOpen = true;
    this.tasks.places.dispatch.pump();
  }

  closeToOutsiders(): void {
    this.tasks.closeToOutsiders();
  }

  close(): LeftWork {
    return this.tasks.close();
  }

  giveUpRunning(): Promise<void> {
    this.tasks.places.workers.giveUpAll();
    return Promise.resolve();
  }
}

function isToBeRetried(task: LocalTask): boolean {
  return task.isRepeatable && task.currentState !== 'completed';
}
