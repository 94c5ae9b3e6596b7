import { DuplicateNameError, UnknownNameError } from '../errors.js';
import type { Supervisor } from './supervisor.js';

/** The services of a host, in the order in which they start, each under a name of its own. */
export class ServiceList {
  private readonly supervisors: Supervisor[] = [];
  /** Those added at run time whose start failed: they stay to be looked at, but give up their name to the next. */
  private readonly failed = new Set<Supervisor>();

  get all(): readonly Supervisor[] {
    return this.supervisors;
  }

  /** @throws UnknownNameError when there is none; it names the nearest one */
  find(nameOrClass: string | (abstract new (...args: never[]) => unknown)): Supervisor {
    const found = this.supervisors.find(
      // `undefined`, as a class is that a circular import has not defined yet, is no service's token
      ({ name, definition: { token = name } }) => name === nameOrClass || token === nameOrClass,
    );
    if (found !== undefined) return found;
    const unknown = typeof nameOrClass === 'function' ? nameOrClass.name : String(nameOrClass);
    const known = this.supervisors.map(({ name }) => name);
    throw new UnknownNameError('service', unknown, known);
  }

  /**
   * @param make makes the service; not called when its name is taken
   * @throws DuplicateNameError
   */
  add(name: string, make: () => Supervisor): Supervisor {
    const index = this.supervisors.findIndex((supervisor) => supervisor.name === name);
    const holder = this.supervisors[index];
    if (holder !== undefined && !(this.failed.has(holder) && holder.isAtRest)) {
      throw new DuplicateNameError('service', name);
    }
    const supervisor = make();
    if (holder !== undefined) {
      holder.retire();
      this.failed.delete(holder);
      this.supervisors.splice(index, 1);
    }
    this.supervisors.push(supervisor);
    return supervisor;
  }

  markFailed(supervisor: Supervisor): void {
    this.failed.add(supervisor);
  }
}
