import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLong, runs } from '../../../../test/long-runs.js';
import type { TickOutcome } from '../events/events.js';
import { setup } from './tick-runner.fixture.js';

/** How one tick goes: how long it takes, and how it ends. A deaf one goes on when it is told to stop. */
interface TickPlan {
  readonly takesMs: number;
  readonly end: 'returns' | 'throws' | 'isDeaf';
}

type Step =
  | { readonly what: 'pause' | 'resume' | 'trigger' }
  | { readonly what: 'reschedule'; readonly everyMs: number }
  | { readonly what: 'wait' | 'holdUp'; readonly forMs: number };

const periods = fc.constantFrom(100, 250, 1_000);
const durations = fc.constantFrom(0, 1, 60, 100, 250, 1_000, 2_600);

const settings = fc.record({
  everyMs: periods,
  overlap: fc.constantFrom('skip' as const, 'queue' as const, 'parallel' as const),
  misfire: fc.constantFrom('fireOnce' as const, 'skip' as const),
  runOnStart: fc.boolean(),
  jitter: fc.constantFrom(0, 0, 90),
  timeout: fc.constantFrom(undefined, undefined, 300),
});

const ticks = fc.array(
  fc.record<TickPlan>({
    takesMs: durations,
    end: fc.constantFrom('returns', 'returns', 'returns', 'throws', 'isDeaf'),
  }),
  { minLength: 1, maxLength: 5 },
);

const wait = fc.record({ what: fc.constant('wait' as const), forMs: durations });
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: wait as fc.Arbitrary<Step> },
    fc.record({ what: fc.constant('holdUp' as const), forMs: durations }),
    fc.record({ what: fc.constantFrom('pause' as const, 'resume' as const, 'trigger' as const) }),
    fc.record({ what: fc.constant('reschedule' as const), everyMs: periods }),
  ),
  { maxLength: 15, size: 'max' },
);

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/** A runner at work, and a count of everything. */
class TickSession {
  readonly bundle;
  readonly outcomes: TickOutcome[] = [];
  readonly counts = { running: 0, most: 0, begunAfterEnd: 0, triggers: 0 };
  /** Ticks that the schedule has come to, told by where the next one stands. */
  due = 0;
  private grid: { readonly begin: number; readonly everyMs: number } | undefined;
  private everyMs: number;
  private isQuiet = false;
  private begun = 0;
  private readonly deaf: (() => void)[] = [];

  constructor(
    { everyMs, timeout, ...others }: Settings,
    private readonly plans: readonly TickPlan[],
  ) {
    this.everyMs = everyMs;
    const options = timeout === undefined ? others : { ...others, timeout };
    this.bundle = setup({ every: everyMs, ...options }, (signal) => this.tick(signal));
  }

  async begin(): Promise<void> {
    this.bundle.begin();
    this.leaveGrid();
    await this.bundle.clock.advance(0);
  }

  async do(step: Step): Promise<void> {
    const { runner, clock, holdUp } = this.bundle;
    const isPaused = this.grid === undefined;
    switch (step.what) {
      case 'wait':
        return clock.advance(step.forMs);
      case 'holdUp':
        holdUp(step.forMs);
        return clock.advance(0);
      case 'trigger':
        this.counts.triggers += 1;
        void runner.trigger().then(({ outcome }) => this.outcomes.push(outcome));
        return clock.advance(0);
      case 'reschedule':
        if (!isPaused) this.countGrid();
        this.everyMs = step.everyMs;
        runner.reschedule({ every: step.everyMs });
        return isPaused ? undefined : this.leaveGrid();
      case 'pause':
        if (isPaused) return; // as the supervisor has it
        this.countGrid();
        this.grid = undefined;
        return runner.pause();
      default:
        if (!isPaused) return;
        runner.resume();
        this.leaveGrid();
    }
  }

  /** Lets every tick end that is running, and what they bring about. */
  async finish(): Promise<void> {
    do {
      for (const end of this.deaf.splice(0)) end();
      await this.bundle.clock.advance('3s');
    } while (this.counts.running > 0);
  }

  quiesce(): void {
    this.bundle.runner.quiesce();
    this.isQuiet = true;
  }

  /** From here on ticks are due in a row that begins now. */
  private leaveGrid(): void {
    this.grid = { begin: this.bundle.now(), everyMs: this.everyMs };
  }

  private countGrid(): void {
    const { begin, everyMs } = this.grid!;
    const passed = (this.bundle.runner.nextTickAt!.getTime() - begin) / everyMs;
    if (!Number.isInteger(passed)) throw new Error(`The next tick is due after ${passed} periods.`);
    this.due += passed - 1;
  }

  private async tick(signal: AbortSignal): Promise<void> {
    const { counts } = this;
    if (this.isQuiet) counts.begunAfterEnd += 1;
    counts.running += 1;
    counts.most = Math.max(counts.most, counts.running);
    const plan = this.plans[this.begun++ % this.plans.length]!;
    try {
      await this.perform(plan, signal);
    } finally {
      counts.running -= 1;
    }
  }

  private async perform({ takesMs, end }: TickPlan, signal: AbortSignal): Promise<void> {
    if (takesMs > 0) await this.sleep(takesMs, end === 'isDeaf' ? undefined : signal);
    if (end === 'isDeaf' && signal.aborted) await new Promise<void>((resolve) => this.deaf.push(resolve));
    if (end === 'throws') throw new Error('planned');
  }

  private sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.bundle.clock.schedule(ms, () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      });
      const giveUp = (): void => {
        timer.cancel();
        reject(signal!.reason as Error);
      };
      if (signal?.aborted) giveUp();
      else signal?.addEventListener('abort', giveUp, { once: true });
    });
  }
}

const long = isLong ? 600_000 : undefined;

describe('however long its ticks take, and whatever is asked of it, a tick runner', () => {
  it(
    'runs, skips or counts as missed every tick that is due, and never two at once unless parallel',
    async () => {
      const property = fc.asyncProperty(settings, ticks, steps, async (options, plans, all) => {
        const session = new TickSession(options, plans);
        await session.begin();
        for (const step of all) await session.do(step);
        await session.do({ what: 'pause' });
        await session.finish();
        await session.do({ what: 'trigger' }); // it carries what has been missed so far
        await session.finish();
        const { bundle, counts, outcomes, due } = session;
        const triggered = outcomes.filter((outcome) => outcome !== 'skipped').length;
        const missed = bundle.begun.reduce((sum, tick) => sum + tick.missed, 0);
        const first = options.runOnStart ? 1 : 0;
        expect(bundle.begun.length - triggered + missed).toBe(due + first);
        expect(outcomes).toHaveLength(counts.triggers);
        expect(bundle.begun.map(({ count }) => count)).toEqual(bundle.begun.map((_, index) => index + 1));
        expect(options.overlap === 'parallel' || counts.most <= 1).toBe(true);
        await bundle.stop();
        expect(bundle.clock.pendingTimers).toBe(0);
      });
      await fc.assert(property, { numRuns: runs(150) });
    },
    long,
  );

  it(
    'begins nothing once it is told to be quiet, and stops when all has ended, or at the deadline',
    async () => {
      const seen = { waited: 0, abandoned: 0 };
      const property = fc.asyncProperty(
        settings,
        ticks,
        steps,
        durations,
        async (options, plans, all, limit) => {
          const session = new TickSession(options, plans);
          const { clock, runner } = session.bundle;
          await session.begin();
          for (const step of all) await session.do(step);
          session.quiesce();
          await clock.advance(60);
          const deadline = new AbortController();
          const progress = { stopped: false };
          const stop = runner.stop(deadline.signal).then(() => (progress.stopped = true));
          await clock.advance(0);
          const wereRunning = runner.inFlight().length;
          expect(progress.stopped).toBe(wereRunning === 0); // all but the deaf have given up
          await clock.advance(limit);
          deadline.abort();
          await clock.advance(0);
          expect(progress.stopped).toBe(true);
          await stop;
          const left = runner.inFlight().length;
          seen[left === 0 ? 'waited' : 'abandoned'] += 1;
          await session.finish();
          expect(runner.inFlight()).toEqual([]);
          expect(session.outcomes).toHaveLength(session.counts.triggers);
          expect(session.counts.begunAfterEnd).toBe(0);
          expect(clock.pendingTimers).toBe(0);
        },
      );
      await fc.assert(property, { numRuns: runs(150) });
      expect(Math.min(seen.waited, seen.abandoned)).toBeGreaterThan(0);
    },
    long,
  );
});
