import { DuplicateTaskHandlerError, NoTaskHandlerError } from '../errors.js';
import type { TaskContext } from '../scopes/context.js';
import { unpackPayload } from './payload.js';
import { validatePayload } from './payload-schema.js';
import type { DefinedTask } from './task-definition.js';

/** Whoever handles the tasks of one definition, and how to get at them. */
export interface RegisteredHandler {
  readonly definition: DefinedTask;
  /** What to call it in messages. */
  readonly label: string;
  /** Calls `handle()` on the instance for this attempt. */
  readonly handle: (payload: unknown, context: TaskContext) => unknown;
}

/** Knows who handles which typed task, by the names of their definitions. */
export class TaskHandlers {
  private readonly byName = new Map<string, RegisteredHandler>();
  private isComplete = false;

  /** @throws DuplicateTaskHandlerError */
  add(handler: RegisteredHandler): void {
    const { name } = handler.definition;
    const other = this.byName.get(name);
    if (other !== undefined) throw new DuplicateTaskHandlerError(name, [other.label, handler.label]);
    this.byName.set(name, handler);
  }

  /** All handlers are there. Until now nobody can say that one is missing. */
  complete(): void {
    this.isComplete = true;
  }

  /** The names of all definitions that are handled. */
  get names(): readonly string[] {
    return [...this.byName.keys()];
  }

  /** The definition of this name, as its handler knows it. */
  definition(name: string): DefinedTask | undefined {
    return this.byName.get(name)?.definition;
  }

  /** @throws NoTaskHandlerError when a task of this name could be accepted but never be run */
  expect(name: string): void {
    if (this.isComplete) this.of(name);
  }

  /**
   * Runs one attempt: the payload is unpacked and validated anew, so that no attempt sees what another did to it.
   *
   * @throws NoTaskHandlerError, InvalidPayloadError, and what the handler throws
   */
  async run(name: string, payload: string | undefined, context: TaskContext): Promise<unknown> {
    const { definition, handle } = this.of(name);
    const validated = validatePayload(definition, unpackPayload(payload));
    if (!(validated instanceof Promise)) return handle(validated, context);
    const waitedFor: unknown = await validated;
    context.signal.throwIfAborted(); // it was given up meanwhile
    return handle(waitedFor, context);
  }

  private of(name: string): RegisteredHandler {
    const handler = this.byName.get(name);
    if (handler === undefined) throw new NoTaskHandlerError(name, [...this.byName.keys()]);
    return handler;
  }
}
