/** What every queue is given to do: nothing. */
export const work = async (): Promise<void> => {};

/** The worker of a queue that takes closures. */
export const call = (closure: () => Promise<void>): Promise<void> => closure();

/** The same for `async`, which tells by a function's kind whether it gives a promise. */
export const callAsync = async (closure: () => Promise<void>): Promise<void> => closure();
