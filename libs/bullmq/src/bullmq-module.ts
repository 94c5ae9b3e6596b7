import { BullmqMissingError } from './errors.js';

/** What BullMQ exports. */
export type Bullmq = typeof import('bullmq');

/**
 * Loads BullMQ when an engine is opened, and not before: an application that keeps its tasks elsewhere does not need it.
 *
 * @throws BullmqMissingError
 */
export async function loadBullmq(): Promise<Bullmq> {
  try {
    return await import('bullmq');
  } catch (error) {
    throw new BullmqMissingError({ cause: error });
  }
}
