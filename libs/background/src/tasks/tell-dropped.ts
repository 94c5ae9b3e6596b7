import type { BackgroundEvents } from '../events/background-events.js';
import type { TaskHandle } from './task.js';
import type { ResolvedQueueOptions } from './queue.options.js';

/** Tells that a full queue has dropped a task: in an event, and to the queue's `onDropped`, whose failure disturbs nobody. */
export function tellDropped(
  task: TaskHandle,
  { fullMode, onDropped }: Pick<ResolvedQueueOptions, 'fullMode' | 'onDropped'>,
  events: BackgroundEvents,
): void {
  events.emit('task.dropped', { queue: task.queue, taskId: task.id, name: task.name, fullMode });
  // No fault of whoever enqueues just now.
  const failed = (error: unknown): void => events.emit('listener.failed', { during: 'task.dropped', error });
  try {
    const result: unknown = onDropped?.(task);
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}
