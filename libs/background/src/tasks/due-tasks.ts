import { createPriorityChannel } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';

/**
 * Tasks whose time has come and that no worker has taken yet: the most urgent first, and among equals the one that came
 * due first. The queue held them before, so they need no room in it. Any of them can be taken out.
 */
export class DueTasks {
  /** By priority. */
  private readonly lanes = new Map<number, Set<LocalTask>>();
  /** Those of the lanes, the most urgent first. That of an empty lane goes, with the lane, when it comes to the front. */
  private readonly priorities = createPriorityChannel<number>({ compare: (a, b) => a - b });
  private count = 0;

  get size(): number {
    return this.count;
  }

  get first(): LocalTask | undefined {
    const { reader } = this.priorities;
    for (let next = reader.tryPeek(); next !== undefined; next = reader.tryPeek()) {
      const [task] = this.lanes.get(next)!;
      if (task !== undefined) return task;
      this.lanes.delete(next);
      reader.tryRead();
    }
    return undefined;
  }

  add(task: LocalTask): void {
    const { priority } = task.options;
    let lane = this.lanes.get(priority);
    if (lane === undefined) {
      lane = new Set();
      this.lanes.set(priority, lane);
      this.priorities.writer.tryWrite(priority);
    }
    lane.add(task);
    this.count += 1;
  }

  /** @returns whether it was there */
  delete(task: LocalTask): boolean {
    if (this.lanes.get(task.options.priority)?.delete(task) !== true) return false;
    this.count -= 1;
    return true;
  }
}
