import type { TaskContext } from '../scopes/context.js';
import { setup as setupQueue } from './queue.fixture.js';
import { definedTask, type TaskDefinition } from './task-definition.js';
import type { TaskQueueOptions } from './queue.options.js';

/** A queue, and a way to say who handles what. */
export function setup(options: TaskQueueOptions = {}) {
  const bundle = setupQueue(options);
  const { handlers } = bundle.registry;
  const given: unknown[] = [];
  /** Registers a handler that notes the payloads it is given, in `given`. */
  const handle = <P, R, I>(
    definition: TaskDefinition<P, R, I>,
    work: (payload: P, context: TaskContext) => unknown = () => undefined,
  ): void =>
    handlers.add({
      definition: definedTask(definition)!,
      label: `Handler of ${definition.name}`,
      handle: (payload, context) => {
        given.push(payload);
        return work(payload as P, context);
      },
    });
  return { ...bundle, handlers, handle, given };
}
