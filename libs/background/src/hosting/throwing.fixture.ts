import { untilAborted } from './long-running-service.fixture.js';

/** When a hook throws: before it first waits, or after. */
export const nowAndLater = ['now', 'later'] as const;

/** A hook, or an `execute()`, that throws. */
export function throwing(what: Error, when: (typeof nowAndLater)[number]) {
  if (when === 'now') {
    return () => {
      throw what;
    };
  }
  return async () => {
    await Promise.resolve();
    throw what;
  };
}

/** A hook that honours its signal, by throwing its reason. */
export async function givingUp(signal: AbortSignal): Promise<void> {
  await untilAborted(signal);
  throw signal.reason;
}
