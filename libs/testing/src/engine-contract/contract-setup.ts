import type { BackgroundEngine, EngineCapabilities } from 'nestjs-nightshift';
import {
  ArgumentOutOfRangeError,
  isOptionsObject,
  OptionsCheck,
  toMilliseconds,
  type Duration,
} from 'nestjs-nightshift/channels';

/** Where the engines of one case keep their tasks. Empty at first, and of no other case. */
export interface EngineStore {
  /** Makes an engine on this store. A second one stands for another process. */
  createEngine(): BackgroundEngine;
  /**
   * Makes an engine behave as if its process had been killed: from now on it is silent, and does not tidy up. It is called
   * when the clock of the engine's application has been stopped, which is enough for an engine that uses that clock.
   */
  crash?(engine: BackgroundEngine): void | Promise<void>;
  /** The case is over and its engines are closed. */
  remove?(): void | Promise<void>;
}

/** What {@link queueEngineContract} takes. */
export interface QueueEngineContractSetup {
  /** Those of the engines that {@link createStore} leads to: which cases there are follows from them. */
  readonly capabilities: EngineCapabilities;
  createStore(): EngineStore | Promise<EngineStore>;
  /**
   * Whether two engines on one store see the same tasks, and a new one those of an old one.
   * @default whether the engine is durable
   */
  readonly isShared?: boolean | undefined;
  /**
   * `'manual'`: the engine goes by the clock that it is given, so no case has to wait. `'system'`: it has a clock of its
   * own, or talks to a server that has.
   */
  readonly clock: 'manual' | 'system';
  /**
   * A time that is long for the engine: by its end it has noticed whatever others have changed, and begun what may begin.
   * The cases count in it: what they put off, they put off by a few of these.
   * @default '10s' on a manual clock, '500ms' on that of the system
   */
  readonly moment?: Duration | undefined;
  /**
   * By when the tasks of a process that was killed are back in line.
   * @default '20s'
   */
  readonly recovery?: Duration | undefined;
  /**
   * How long a case waits, in real time, for something that is bound to come about, before it fails. Less than the
   * test framework waits for a test, so that its message says what was waited for.
   * @default '4s'
   */
  readonly within?: Duration | undefined;
}

export interface ResolvedContractSetup {
  readonly capabilities: EngineCapabilities;
  readonly createStore: () => EngineStore | Promise<EngineStore>;
  readonly isShared: boolean;
  readonly clock: 'manual' | 'system';
  readonly momentMs: number;
  readonly recoveryMs: number;
  readonly withinMs: number;
}

const setupDefaults = { moment: { manual: '10s', system: '500ms' }, recovery: '20s', within: '4s' } as const;
const knownKeys = ['capabilities', 'createStore', 'isShared', 'clock', 'moment', 'recovery', 'within'];

/** @throws InvalidOptionsError, ArgumentOutOfRangeError, UnknownOptionError */
export function resolveContractSetup(setup: QueueEngineContractSetup): ResolvedContractSetup {
  if (!isOptionsObject(setup))
    throw new ArgumentOutOfRangeError(
      'setup',
      setup,
      'an object with `capabilities`, `createStore` and `clock`',
    );
  const { capabilities, clock, isShared = capabilities?.durable === true } = setup;
  const check = new OptionsCheck('queueEngineContract');
  check.knownKeys(setup, knownKeys);
  const hasCapabilities = isOptionsObject(capabilities) && isOptionsObject(capabilities.lacks);
  check.expect(hasCapabilities, 'capabilities', capabilities, 'those of the engine: engine.capabilities');
  check.expect(typeof setup.createStore === 'function', 'createStore', setup.createStore, 'a function');
  check.expect(['manual', 'system'].includes(clock), 'clock', clock, "'manual' or 'system'");
  check.expect(typeof isShared === 'boolean', 'isShared', isShared, 'true or false');
  const duration = (key: 'moment' | 'recovery' | 'within', otherwise: Duration): number =>
    check.attempt(() => toMilliseconds(setup[key] ?? otherwise, key), 0);
  const momentMs = duration('moment', setupDefaults.moment[clock] ?? 0);
  const recoveryMs = duration('recovery', setupDefaults.recovery);
  const withinMs = duration('within', setupDefaults.within);
  check.throwIfAny();
  const createStore = (): EngineStore | Promise<EngineStore> => setup.createStore();
  return { capabilities, createStore, isShared, clock, momentMs, recoveryMs, withinMs };
}
