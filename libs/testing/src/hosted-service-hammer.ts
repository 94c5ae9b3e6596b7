import type { HostedService } from 'nestjs-nightshift';
import {
  ArgumentOutOfRangeError,
  isOptionsObject,
  OptionsCheck,
  toMilliseconds,
  type Duration,
} from 'nestjs-nightshift/channels';
import { HammeredService } from './hammered-service.js';
import { Leftovers } from './leftovers.js';
import { ManualClock } from './manual-clock.js';
import { Patience } from './patience.js';
import { ProcessWatch } from './process-watch.js';
import { SeededRandom } from './seeded-random.js';

/** What {@link hammerHostedService} takes. */
export interface HammerOptions {
  /**
   * How many services are made and driven, each through an order of calls of its own.
   * @default 100
   */
  readonly rounds?: number | undefined;
  /**
   * What the orders follow from, a whole number. The message of a failure tells the one that brings it back.
   * @default a random one
   */
  readonly seed?: number | undefined;
  /**
   * How long one hook may take, and how long what was started may take to be gone after the last stop: on {@link clock},
   * if there is one, and in real time.
   * @default '2s'
   */
  readonly within?: Duration | undefined;
  /** The clock that the service uses, if it is a manual one. It is moved on while the service is waited for. */
  readonly clock?: ManualClock | undefined;
  /**
   * Whether the service can be started again after a stop, or has to refuse it with an error.
   * @default 'works'
   */
  readonly restart?: 'works' | 'refused' | undefined;
  /**
   * Whether the service is also stopped without having been started. This library's host never does that; others do.
   * @default 'works'
   */
  readonly stopWithoutStart?: 'works' | 'notTried' | undefined;
}

const hammerDefaults = { rounds: 100, within: '2s', restart: 'works', stopWithoutStart: 'works' } as const;
const knownKeys = ['rounds', 'seed', 'within', 'clock', 'restart', 'stopWithoutStart'];

/** One step of a round may be several calls: each round has at most this many steps. */
const mostSteps = 8;

/** What can be done next to a service. */
type Step = (service: HammeredService) => Promise<void>;

const whenIdle: readonly Step[] = [
  (service) => service.start(),
  (service) => service.start(),
  (service) => service.start('never', 'start'),
  (service) => service.start('never', 'starting'),
  (service) => service.start('before'),
  (service) => service.start('meanwhile'),
];
const whenStarted: readonly Step[] = [
  (service) => service.stop(),
  async (service) => {
    await service.stop();
    await service.stop();
  },
  async (service) => void (await Promise.all([service.stop(), service.stop()])),
];
const lastWhenStarted: readonly Step[] = [
  ...whenStarted,
  (service) => service.stop('before'),
  (service) => service.stop('meanwhile'),
  async (service) => void (await Promise.all([service.stop(), service.stop('meanwhile')])),
];

/**
 * Starts and stops a hosted service in many random orders, all of which a host may come to: to the end and only half
 * way, again after a stop, with signals that are aborted before and during a hook, twice in a row and twice at once,
 * and without a start before. For tests of one's own services: it throws where a service does not hold out.
 *
 * What it asks of the service:
 * - every hook settles within a limit; the hooks of a stop do so however often they are called;
 * - no hook rejects, except with the reason of its signal, or any `AbortError`, once that signal is aborted;
 * - a `start` that rejects so has released what it had; one that succeeds is followed by a stop;
 * - a stop whose signal is aborted gives up what is not finished; it is the last that the service is asked;
 * - when the last stop has ended, no timer, socket or other handle is left that was not there before, as far as Node
 *   tells; nor a timer on the manual clock;
 * - no rejection goes unhandled, and no event emitter warns of too many listeners.
 *
 * The process as a whole is looked at, so nothing else should be going on in it meanwhile: no concurrent tests.
 *
 * @example
 * await hammerHostedService(() => new MailServer({ port: 0 }));
 *
 * @param create makes a service that is not started, a new one for each round
 * @throws HammeredServiceError with the calls that led to the failure, and the seed that repeats them
 * @throws InvalidOptionsError, ArgumentOutOfRangeError, UnknownOptionError
 */
export async function hammerHostedService(
  create: () => HostedService | Promise<HostedService>,
  options: HammerOptions = {},
): Promise<void> {
  const { rounds, seed, withinMs, clock, steps } = resolveHammerOptions(options);
  const patience = new Patience(withinMs, clock);
  for (let round = 0; round < rounds; round += 1) {
    const random = new SeededRandom(seed + round);
    const leftovers = new Leftovers(clock);
    using watch = new ProcessWatch();
    const service = new HammeredService(await checked(create), random, patience);
    await playRound(service, random, steps);
    const isClean = await patience.until(() => leftovers.now().length === 0);
    const unseen = watch.first;
    if (unseen !== undefined) throw service.failure(unseen.problem, unseen.cause);
    if (!isClean) throw service.failure(`Something was left behind: ${leftovers.now().join(', ')}`);
  }
}

type Steps = Pick<Required<HammerOptions>, 'restart' | 'stopWithoutStart'>;

async function playRound(service: HammeredService, random: SeededRandom, options: Steps): Promise<void> {
  const stopInAnyCase = (): Promise<void> => service.stop();
  const idle = options.stopWithoutStart === 'works' ? [...whenIdle, stopInAnyCase] : whenIdle;
  for (let left = 1 + random.below(mostSteps); left > 0; left -= 1) {
    if (service.wasStopped && options.restart === 'refused') await service.startInVain();
    else await random.pick(service.isStarted ? whenStarted : idle)(service);
    await service.leaveAlone();
  }
  if (service.isStarted) await random.pick(lastWhenStarted)(service);
}

async function checked(create: () => HostedService | Promise<HostedService>): Promise<HostedService> {
  const service: Partial<HostedService> | undefined = await create();
  if (typeof service?.start === 'function' && typeof service.stop === 'function') {
    return service as HostedService;
  }
  throw new ArgumentOutOfRangeError('create()', service, 'a hosted service, with start() and stop()');
}

function resolveHammerOptions(options: HammerOptions) {
  if (!isOptionsObject(options)) {
    throw new ArgumentOutOfRangeError('options', options, 'an object such as { rounds: 50 }');
  }
  const {
    rounds = hammerDefaults.rounds,
    seed = Math.floor(Math.random() * 2 ** 32),
    within = hammerDefaults.within,
    clock,
    restart = hammerDefaults.restart,
    stopWithoutStart = hammerDefaults.stopWithoutStart,
  } = options;
  const check = new OptionsCheck('hammerHostedService');
  check.knownKeys(options, knownKeys);
  check.expect(Number.isSafeInteger(rounds) && rounds > 0, 'rounds', rounds, 'a whole number of 1 or more');
  check.expect(Number.isSafeInteger(seed), 'seed', seed, 'a whole number');
  const withinMs = check.attempt(() => toMilliseconds(within, 'within'), 0);
  check.expect(clock === undefined || clock instanceof ManualClock, 'clock', clock, 'a ManualClock');
  check.expect(['works', 'refused'].includes(restart), 'restart', restart, "'works' or 'refused'");
  const isStopMode = ['works', 'notTried'].includes(stopWithoutStart);
  check.expect(isStopMode, 'stopWithoutStart', stopWithoutStart, "'works' or 'notTried'");
  check.throwIfAny();
  return { rounds, seed, withinMs, clock, steps: { restart, stopWithoutStart } };
}
