import type { HostedService } from 'nestjs-nightshift';
import { describeValue } from 'nestjs-nightshift/channels';
import { HammeredServiceError } from './errors.js';
import { turns, type Patience } from './patience.js';
import type { SeededRandom } from './seeded-random.js';

const startHooks = ['starting', 'start', 'started'] as const;
const stopHooks = ['stopping', 'stop', 'stopped'] as const;
type Hook = (typeof startHooks | typeof stopHooks)[number];

/** When the signal of a hook is aborted. */
export type AbortMoment = 'never' | 'before' | 'meanwhile';

type Outcome = { readonly error?: unknown; readonly rejected: boolean };

/** One hosted service in the hands of the hammer: calls its hooks as the host does, and notes what becomes of it. */
export class HammeredService {
  readonly history: string[] = [];
  /** Whether `start` has succeeded, and no stop has been called since. */
  isStarted = false;
  wasStopped = false;

  constructor(
    private readonly service: HostedService,
    private readonly random: SeededRandom,
    private readonly patience: Patience,
  ) {}

  /**
   * A start as the host does it: `stop` is owed as soon as `start` has succeeded, even if `started` is never called,
   * and nothing is owed for `starting` alone.
   *
   * @param aborted when the signal is aborted, in one of the hooks
   * @param last the last hook that is called, when the start of the application does not get any further
   */
  async start(aborted: AbortMoment = 'never', last: (typeof startHooks)[number] = 'started'): Promise<void> {
    const controller = new AbortController();
    const abortedIn = this.random.pick(startHooks);
    for (const hook of startHooks) {
      const done = await this.call(hook, controller, hook === abortedIn ? aborted : 'never');
      if (hook === 'start' && done) this.isStarted = true;
      if (!done || controller.signal.aborted || hook === last) return;
    }
  }

  async stop(aborted: AbortMoment = 'never'): Promise<void> {
    const controller = new AbortController();
    const abortedIn = this.random.pick(stopHooks);
    for (const hook of stopHooks) {
      await this.call(hook, controller, hook === abortedIn ? aborted : 'never');
    }
    this.isStarted = false;
    this.wasStopped = true;
  }

  /** A start that is expected to be refused, because the service has been stopped for good. */
  async startInVain(): Promise<void> {
    const line = this.history.push('start() after a stop') - 1;
    const { rejected } = await this.settle(line, 'start', new AbortController().signal);
    if (!rejected) throw this.failure("start() succeeded after a stop, although `restart` is 'refused'");
  }

  /** Lets it work for some turns of the event loop. */
  async leaveAlone(): Promise<void> {
    const count = this.random.below(4);
    this.history.push(`(${count} turns)`);
    await turns(count);
  }

  failure(problem: string, cause?: unknown): HammeredServiceError {
    const options = cause === undefined ? undefined : { cause };
    return new HammeredServiceError(problem, this.random.seed, this.history, options);
  }

  /** @returns whether the hook did what it is for; `false` when it gave up because of its signal */
  private async call(hook: Hook, controller: AbortController, aborted: AbortMoment): Promise<boolean> {
    if (aborted === 'before') controller.abort();
    const { signal } = controller;
    const line = this.history.push(`${hook}()${signal.aborted ? ' with an aborted signal' : ''}`) - 1;
    const turnsBefore = aborted === 'meanwhile' ? this.random.below(4) : undefined;
    const abort = async (): Promise<void> => {
      if (turnsBefore === undefined) return;
      await turns(turnsBefore);
      this.history[line] += `, aborted after ${turnsBefore} turns`;
      controller.abort();
    };
    const [{ rejected, error }] = await Promise.all([this.settle(line, hook, signal), abort()]);
    if (!rejected) return true;
    if (!isCancellation(error, signal)) {
      throw this.failure(`${hook}() rejected with ${describeValue(error)}`, error);
    }
    return false;
  }

  private async settle(line: number, hook: Hook, signal: AbortSignal): Promise<Outcome> {
    const outcomes: Outcome[] = [];
    const work = async (): Promise<void> => await this.service[hook]?.(signal);
    work().then(
      () => outcomes.push({ rejected: false }),
      (error: unknown) => outcomes.push({ rejected: true, error }),
    );
    if (!(await this.patience.until(() => outcomes.length > 0))) {
      this.history[line] += ': still waiting';
      throw this.failure(`${hook}() did not settle within ${this.patience.limitMs} ms`);
    }
    const [outcome] = outcomes;
    this.history[line] += outcome!.rejected ? `: rejected with ${describeValue(outcome!.error)}` : ': done';
    return outcome!;
  }
}

/** Whether the error only says that the signal was aborted. */
function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
