import type { LifecycleHook } from './hosted-service.js';

/** Whose hooks a phase calls. */
export interface LifecycleParticipant {
  call(hook: LifecycleHook, signal: AbortSignal): Promise<void>;
}

export interface PhaseOptions {
  readonly signal: AbortSignal;
  /** Call every hook, each up to its first wait, in order; otherwise each waits for the end of the one before. */
  readonly concurrently: boolean;
  /**
   * Asked before each hook: whether to call no more of them, given what is known to have been thrown so far. Concurrent
   * hooks are all called before anything of that is known.
   */
  readonly until?: (errors: readonly unknown[]) => boolean;
}

/** Calls one hook on each service and collects what they throw. Ends when all that were called have. */
export async function runPhase(
  services: readonly LifecycleParticipant[],
  hook: LifecycleHook,
  { signal, concurrently, until }: PhaseOptions,
): Promise<unknown[]> {
  const errors: unknown[] = [];
  const call = (service: LifecycleParticipant): Promise<unknown> =>
    service.call(hook, signal).catch((error: unknown) => errors.push(error));
  const calls: Promise<unknown>[] = [];
  for (const service of services) {
    if (until?.(errors)) break;
    const ended = call(service);
    if (concurrently) calls.push(ended);
    else await ended;
  }
  await Promise.all(calls);
  return errors;
}
