/** What {@link outcome} gives for a promise that has not settled. */
export const pending = Symbol('pending');

/** What a promise has come to, once the microtasks that may settle it have run. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
  return Promise.race([promise, Promise.resolve(pending)]);
}
