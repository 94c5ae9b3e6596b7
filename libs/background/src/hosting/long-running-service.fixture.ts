import type { BackgroundService } from './background-service.js';
import { setupHost } from './host.fixture.js';
import type { HostedService } from './hosted-service.js';
import type { HostingOptions } from './hosting.options.js';
import { LongRunningService, type LongRunningServiceOptions } from './long-running-service.js';

/** A host with `add` for long-running services. */
export function setup(overrides: HostingOptions = {}) {
  const { clock, events, lifetime, options, host, seen, ofType } = setupHost(overrides);
  const add = (
    execute: BackgroundService['execute'],
    more: Partial<LongRunningServiceOptions> & { name?: string; ignore?: boolean } = {},
    hooks: Partial<HostedService> = {},
  ) => {
    const { name = 'worker', ignore = false, ...rest } = more;
    const runner = new LongRunningService({ execute, ...hooks }, { name, clock, ...rest });
    const exceptionBehavior = ignore ? 'ignore' : options.exceptionBehavior;
    return host.add({ name, runner, exceptionBehavior, enabled: true });
  };
  return { clock, events, lifetime, host, add, seen, ofType };
}

/** Work that ends, without an error, when its signal is aborted. */
export const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
