import * as fc from 'fast-check';
import type { LifecycleHook } from './hosted-service.js';
import type { ExceptionBehavior } from './hosting.options.js';

/** Something that is asked of a host. Services are asked for by a number, of which the remainder counts. */
export type Act =
  | { readonly what: 'stopApplication' | 'stop' | 'signalStopping' }
  | { readonly what: 'stopImpatiently'; readonly abortAfterMs: number }
  | { readonly what: 'stopService' | 'startService'; readonly pick: number }
  | { readonly what: 'add'; readonly service: ServicePlan };

/** How a piece of a service's code goes. */
export interface CodePlan {
  /** First it takes this long. */
  readonly delayMs: number;
  /** Then it asks this of its host. */
  readonly act?: Act | undefined;
  /** And waits for what that comes to. */
  readonly awaits: boolean;
  /**
   * And then it ends in this way. What hangs is let go at the very end of the play. What heeds waits for its signal, and
   * ends with the reason of it or as if nothing had been.
   */
  readonly end:
    'returns' | 'throws' | 'throwsAtOnce' | 'hangs' | 'hangsThenThrows' | 'heeds' | 'heedsQuietly';
}

export interface ServicePlan {
  readonly enabled: boolean;
  readonly exceptionBehavior: ExceptionBehavior;
  readonly hooks: Partial<Record<LifecycleHook, CodePlan | undefined>>;
  /** One for each call of `execute()`, the last for all further ones. With none it is a hosted service. */
  readonly executes: readonly CodePlan[];
  readonly maxRestarts: number | undefined;
}

export interface HostPlan {
  readonly servicesStartConcurrently: boolean;
  readonly servicesStopConcurrently: boolean;
  readonly startupTimeout: number | 'infinite';
  readonly shutdownTimeout: number | 'infinite';
  readonly services: readonly ServicePlan[];
  /** What is asked of the host from outside, and how long after the one before. */
  readonly script: readonly { readonly afterMs: number; readonly act: Act }[];
}

const delayMs = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  fc.constantFrom(1, 100, 900, 1_000, 3_000),
);
const end = fc.oneof(
  { weight: 6, arbitrary: fc.constant<CodePlan['end']>('returns') },
  fc.constantFrom<CodePlan['end']>(
    'throws',
    'throwsAtOnce',
    'hangs',
    'hangsThenThrows',
    'heeds',
    'heedsQuietly',
  ),
);

function codePlan(act: fc.Arbitrary<Act>): fc.Arbitrary<CodePlan> {
  return fc.record({
    delayMs,
    act: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, act),
    awaits: fc.boolean(),
    end,
  });
}

function servicePlan(act: fc.Arbitrary<Act>): fc.Arbitrary<ServicePlan> {
  const code = codePlan(act);
  const hook = fc.option(code, { nil: undefined, freq: 3 });
  return fc.record({
    enabled: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.constant(false)),
    exceptionBehavior: fc.constantFrom<ExceptionBehavior>('stopHost', 'ignore'),
    hooks: fc.record({
      starting: hook,
      start: hook,
      started: hook,
      stopping: hook,
      stop: hook,
      stopped: hook,
    }),
    executes: fc.array(code, { maxLength: 3 }),
    maxRestarts: fc.constantFrom(undefined, 0, 1, 3),
  });
}

const plainActs = fc.oneof(
  fc.constantFrom<Act>({ what: 'stopApplication' }, { what: 'stop' }, { what: 'signalStopping' }),
  fc.record({ what: fc.constant('stopImpatiently' as const), abortAfterMs: delayMs }),
);
const steeringActs = fc.oneof(
  plainActs,
  fc.record({ what: fc.constantFrom('stopService' as const, 'startService' as const), pick: fc.nat(5) }),
  fc.record({ what: fc.constant('add' as const), service: servicePlan(plainActs) }),
);

function hostPlan(act: fc.Arbitrary<Act>): fc.Arbitrary<HostPlan> {
  return fc.record({
    servicesStartConcurrently: fc.boolean(),
    servicesStopConcurrently: fc.boolean(),
    startupTimeout: fc.constantFrom<number | 'infinite'>('infinite', 500, 2_000),
    shutdownTimeout: fc.constantFrom<number | 'infinite'>('infinite', 0, 1_000, 5_000),
    services: fc.array(servicePlan(act), { minLength: 1, maxLength: 6 }),
    script: fc.array(fc.record({ afterMs: delayMs, act }), { maxLength: 4 }),
  });
}

/** Hosts that are started and stopped, from inside and from outside, at whatever moment. */
export const plainPlans = hostPlan(plainActs);

/** Hosts whose services are also added, stopped and started one by one. */
export const steeredPlans = hostPlan(steeringActs);
