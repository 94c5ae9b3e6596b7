import { InvalidWorkError } from '../errors.js';
import { describeValue } from 'nestjs-nightshift/channels';
import type { TaskContext } from '../scopes/context.js';
import type { TaskOutcome } from '../scopes/task-outcome.js';
import {
  definedTask,
  type AnyTaskDefinition,
  type DefinedTask,
  type TaskDefinition,
  type TaskHandler as TaskHandlerContract,
} from '../tasks/task-definition.js';
import { taskHandlerMetadata } from './metadata.js';

export interface TaskHandler<D extends AnyTaskDefinition> extends TaskHandlerContract<D> {}

/**
 * A class, abstract or with a private constructor too, that handles payloads of type `P` with results of type `R`. A
 * property and not a method, as the compiler would let a method take less than what it is given.
 */
interface HandlerClass<P, R> extends Function {
  readonly prototype: {
    readonly handle: (payload: P, context: TaskContext) => R | TaskOutcome | Promise<R | TaskOutcome>;
  };
}

/**
 * Makes a provider the one that does the tasks of a definition. It is found wherever it is provided, in any scope. There
 * is one for each definition; a class may handle several. A class that extends one handles what that does, unless it is
 * decorated itself: then only what is said there.
 *
 * @example
 * \@TaskHandler(resizePhoto)
 * class PhotoResizer implements TaskHandler<typeof resizePhoto> {
 *   async handle({ id }: PayloadOf<typeof resizePhoto>, { signal }: TaskContext) { ... }
 * }
 * @throws InvalidWorkError while the class is being defined, when `definition` is none
 */
export function TaskHandler<P, R, I>(
  definition: TaskDefinition<P, R, I>,
): (target: HandlerClass<P, R>) => void {
  const task = definedTask(definition);
  if (task === undefined) throw new InvalidWorkError(describeValue(definition));
  return (target) => {
    const others = (Reflect.getOwnMetadata(taskHandlerMetadata, target) ?? []) as readonly DefinedTask[];
    Reflect.defineMetadata(taskHandlerMetadata, [...others, task], target);
  };
}

/** The definitions that a class handles; none when it is not decorated. */
export function tasksHandledBy(type: object): readonly DefinedTask[] {
  return (Reflect.getMetadata(taskHandlerMetadata, type) ?? []) as readonly DefinedTask[];
}
