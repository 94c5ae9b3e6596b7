import type { MemoryTask } from './memory-task.js';

/**
 * Tasks whose time has come and that no worker has taken yet: the most urgent first, and among equals the one that came
 * due first. The queue held them before, so they need no room in it. Any of them can be taken out.
 */
export class DueTasks {
  /** By priority. A lane that runs empty is removed. */
  private readonly lanes = new Map<number, Set<MemoryTask>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get first(): MemoryTask | undefined {
    if (this.count === 0) return undefined;
    const [task] = this.lanes.get(Math.min(...this.lanes.keys()))!;
    return task;
  }

  add(task: MemoryTask): void {
    const { priority } = task.options;
    const lane = this.lanes.get(priority) ?? new Set();
    this.lanes.set(priority, lane);
    lane.add(task);
    this.count += 1;
  }

  /** @returns whether it was there */
  delete(task: MemoryTask): boolean {
    const { priority } = task.options;
    const lane = this.lanes.get(priority);
    if (lane === undefined || !lane.delete(task)) return false;
    if (lane.size === 0) this.lanes.delete(priority);
    this.count -= 1;
    return true;
  }
}
