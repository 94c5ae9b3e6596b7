import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ManualClock } from 'nestjs-nightshift/testing';
import { ConcurrentWaitError, PeriodicTimer, TimerDisposedError, type WaitOptions } from './index.js';
import { LateClock, type SteppedClock } from './late-clock.fixture.js';
import { PeriodicTimerModel } from './periodic-timer-model.fixture.js';

/** The timer under test. */
class Actual {
  readonly timer: PeriodicTimer;
  readonly settled: string[] = [];
  readonly controllers: AbortController[] = [new AbortController()];

  constructor(
    readonly clock: SteppedClock,
    period: number,
  ) {
    this.timer = new PeriodicTimer(period, { clock });
  }

  get signal(): number {
    return this.controllers.length - 1;
  }

  wait(signal: number | undefined): Promise<boolean> | 'concurrent' {
    const options: WaitOptions | undefined =
      signal === undefined ? undefined : { signal: this.controllers[signal]!.signal };
    try {
      return this.timer.waitForNextTick(options);
    } catch (error) {
      assert(error instanceof ConcurrentWaitError);
      return 'concurrent';
    }
  }

  track(id: number, wait: Promise<boolean>): void {
    wait.then(
      (ticked) => this.settled.push(`${id} ${ticked}`),
      (error: Error) => this.settled.push(`${id} ${error.message}`),
    );
  }

  setPeriod(period: number): boolean {
    try {
      this.timer.period = period;
      return true;
    } catch (error) {
      assert(error instanceof TimerDisposedError);
      return false;
    }
  }
}

class Step implements fc.AsyncCommand<PeriodicTimerModel, Actual> {
  constructor(
    private readonly name: string,
    private readonly act: (expected: PeriodicTimerModel, actual: Actual) => Promise<void> | void,
  ) {}

  check(): boolean {
    return true;
  }

  async run(expected: PeriodicTimerModel, actual: Actual): Promise<void> {
    await this.act(expected, actual);
    for (let i = 0; i < 3; i++) await Promise.resolve();
    assert.equal(actual.settled.join(), expected.settled.join());
    assert.equal(actual.timer.period, expected.period);
    // Armed for the next tick while it is waited for, and only then. A late tick has its timer still to run.
    const isArmed = expected.waiting !== undefined && expected.period !== Infinity;
    assert.equal(actual.clock.pendingTimers, isArmed || isLate(expected) ? 1 : 0);
    if (isArmed && !isLate(expected)) assert.equal(actual.clock.nextTimerAt, expected.nextTickAt);
  }

  toString(): string {
    return this.name;
  }
}

function isLate({ isPending, waiting }: PeriodicTimerModel): boolean {
  return isPending && waiting !== undefined;
}

const period = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(Infinity));
const step = (name: string, act: (expected: PeriodicTimerModel, actual: Actual) => Promise<void> | void) =>
  new Step(name, act);

const advance = fc.nat({ max: 50 }).map((byMs) =>
  step(`advance ${byMs}`, async (expected, actual) => {
    expected.pass(byMs, false);
    await actual.clock.advance(byMs);
  }),
);
const holdUp = fc.nat({ max: 50 }).map((byMs) =>
  step(`hold up ${byMs}`, (expected, actual) => {
    if (actual.clock.holdUp === undefined) return;
    expected.pass(byMs, true);
    actual.clock.holdUp(byMs);
  }),
);
const wait = fc.boolean().map((isCancellable) =>
  step(isCancellable ? 'wait under the signal' : 'wait', (expected, actual) => {
    const signal = isCancellable ? actual.signal : undefined;
    const [said, heard] = [expected.wait(signal), actual.wait(signal)];
    if (typeof said === 'object' && typeof heard === 'object') actual.track(said.id, heard);
    else assert.equal(heard, said);
  }),
);
const abort = fc.boolean().map((isRenewed) =>
  step(isRenewed ? 'abort, and take a new signal' : 'abort', (expected, actual) => {
    expected.abort(actual.signal);
    actual.controllers[actual.signal]!.abort(new Error(`reason ${actual.signal}`));
    if (isRenewed) actual.controllers.push(new AbortController());
  }),
);
const setPeriod = period.map((periodMs) =>
  step(`period = ${periodMs}`, (expected, actual) => {
    assert.equal(actual.setPeriod(periodMs), expected.setPeriod(periodMs));
  }),
);
const setTime = fc
  .integer({ min: -1e9, max: 1e9 })
  .map((instant) => step(`set the wall clock to ${instant}`, (_, actual) => actual.clock.setTime(instant)));
const dispose = fc.constant(
  step('dispose', (expected, actual) => {
    expected.dispose();
    actual.timer.dispose();
  }),
);

const rarely = fc.oneof(setTime, { weight: 1, arbitrary: dispose }, { weight: 4, arbitrary: setPeriod });

/** A period to begin with, and what is done to the timer. */
export const timerPlan = fc.tuple(
  period,
  fc.commands(
    [
      fc.oneof(
        { weight: 5, arbitrary: wait },
        { weight: 4, arbitrary: advance },
        { weight: 2, arbitrary: holdUp },
        { weight: 2, arbitrary: abort },
        { weight: 2, arbitrary: rarely },
      ),
    ],
    { maxCommands: 60, size: 'max' },
  ),
);

export const clocks: Readonly<Record<string, () => SteppedClock>> = {
  'a ManualClock': () => new ManualClock(),
  'a clock that is held up': () => new LateClock(),
};

/** Plays the plan on a timer and on its model. */
export async function playTimer(
  clock: SteppedClock,
  periodMs: number,
  plan: Iterable<fc.AsyncCommand<PeriodicTimerModel, Actual>>,
): Promise<void> {
  const [expected, actual] = [new PeriodicTimerModel(periodMs), new Actual(clock, periodMs)];
  await fc.asyncModelRun(() => ({ model: expected, real: actual }), plan);
  await step('dispose', (_, { timer }) => (expected.dispose(), timer.dispose())).run(expected, actual);
  assert.equal(expected.waiting, undefined);
}
