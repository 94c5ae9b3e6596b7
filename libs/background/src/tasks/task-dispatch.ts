import { DequeueLine } from './dequeue-line.js';
import type { LocalTask } from './local-task.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import { RateLimit } from './rate-limit.js';
import { TakenTask } from './taken-task.js';
import type { TaskExecutionDependencies } from './task-execution.js';
import type { TaskWorkers } from './task-workers.js';
import type { DequeuedTask } from './task.js';
import type { WaitingTasks } from './waiting-tasks.js';

/**
 * Brings tasks to those who take them: the workers, as long as they have places, and whoever waits in `dequeue()`. While
 * somebody is there and nothing waits, a task goes straight to them; otherwise it waits, and whoever comes free takes the
 * first one out. So nobody ever waits while there is something that they could take.
 */
export class TaskDispatch {
  /** Whether the workers take tasks. */
  isOpen = false;
  isPaused = false;
  private readonly dequeuers = new DequeueLine();
  /** Taken out by `dequeue()`, and not yet run. */
  private readonly dequeued = new Set<LocalTask>();
  private readonly rate: RateLimit | undefined;

  /** @param accept hears of each task that is handed out; `false` when it has come to its end at that */
  constructor(
    { rateLimit }: Pick<ResolvedQueueOptions, 'rateLimit'>,
    { clock }: Pick<TaskExecutionDependencies, 'clock'>,
    private readonly waiting: WaitingTasks,
    private readonly workers: TaskWorkers,
    private readonly accept: (task: LocalTask) => boolean,
  ) {
    this.rate = rateLimit && new RateLimit(rateLimit, clock, () => this.pump());
  }

  /** Whether somebody is there to take a task, and may begin it. */
  get canHandOut(): boolean {
    return this.hasTaker && (this.rate === undefined || this.rate.hasRoom);
  }

  /** Those that were taken out by `dequeue()` and have not begun. */
  get taken(): Iterable<LocalTask> {
    return this.dequeued;
  }

  /** Whether something begins before a time, as the clock's `monotonic()` will show it, if it is there in time. */
  mayBeginBefore(time: number): boolean {
    const roomAt = this.rate?.roomAt;
    return roomAt === undefined || roomAt < time;
  }

  /** Whether tasks that wait may wait for the rate alone. */
  get isRateLimited(): boolean {
    return this.rate !== undefined;
  }

  /** Hands a task out, or lets it wait if there is room. @returns whether one or the other was possible */
  offer(task: LocalTask): boolean {
    if (this.canHandOut && this.waiting.canPass(task)) {
      this.waiting.begin(task);
      this.handOut(task);
      return true;
    }
    if (!this.waiting.tryAdd(task)) return false;
    // It may begin all the same, or has to be woken when the rate allows.
    if (this.rate !== undefined || this.canHandOut) this.pump();
    return true;
  }

  /** Hands out what waits, as far as there is somebody to take it. */
  pump(): void {
    while (this.canHandOut) {
      const task = this.waiting.take();
      if (task === undefined) return;
      this.handOut(task);
    }
    if (this.rate !== undefined && this.hasTaker && !this.waiting.isEmpty) this.rate.awaitRoom();
  }

  /** Waits for a task to take. */
  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    const dequeued = this.dequeuers.wait(signal);
    this.pump();
    return dequeued;
  }

  /** An attempt begins. */
  onBegin(): void {
    this.rate?.begin();
  }

  /** A task that had been handed out has not begun, and will not. */
  onNotBegun(): void {
    this.rate?.release();
  }

  /** Takes a task back from whoever has dequeued it, and has not run it. @returns whether somebody had */
  takeBack(task: LocalTask): boolean {
    if (!this.dequeued.delete(task)) return false;
    this.notBegun(task);
    return true;
  }

  /** Hands out nothing more. @returns the tasks that were dequeued and have not begun */
  close(reason: unknown): readonly LocalTask[] {
    this.isOpen = false;
    this.rate?.stop();
    this.dequeuers.refuseAll(reason);
    const taken = [...this.dequeued];
    this.dequeued.clear();
    return taken;
  }

  private get hasTaker(): boolean {
    if (this.isPaused) return false;
    return !this.dequeuers.isEmpty || (this.isOpen && this.workers.hasFreePlace);
  }

  private handOut(task: LocalTask): void {
    this.rate?.reserve();
    if (!this.accept(task)) return this.notBegun(task);
    if (this.dequeuers.isEmpty) return this.workers.startSoon(task);
    this.dequeued.add(task);
    this.dequeuers.serve(new TakenTask(task, (taken) => this.runTaken(taken)));
  }

  private async runTaken(task: LocalTask): Promise<void> {
    if (this.dequeued.delete(task)) await this.workers.runBeside(task);
  }

  private notBegun(task: LocalTask): void {
    this.onNotBegun();
    this.waiting.end(task);
  }
}
