/** What stands for 0: BullMQ's own numbers go from 1 to 2,097,151. */
const middle = 2 ** 20;

/** The numbers that {@link toBullmqPriority} takes, in both directions. */
export const priorityLimit = 2 ** 19 - 1;

export function hasPlace(priority: number): boolean {
  return Math.abs(priority) <= priorityLimit;
}

/**
 * The priority of a job. Two of BullMQ's numbers stand for each of ours: the smaller one for tasks whose time has come, which
 * go before those that have only been waiting.
 */
export function toBullmqPriority(priority: number, isDue: boolean): number {
  return middle + 2 * priority + (isDue ? 0 : 1);
}

/** The same priority for a job whose time has come. One that BullMQ itself added without one stays before all others. */
export function duePriority(priority: number): number {
  return priority - (priority % 2);
}

/** What {@link toBullmqPriority} was given. Jobs that BullMQ itself added without a priority have 0. */
export function fromBullmqPriority(priority: number): number {
  return priority === 0 ? 0 : Math.floor((priority - middle) / 2);
}
