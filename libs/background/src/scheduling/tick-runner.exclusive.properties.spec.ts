import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../../test/long-runs.js';
import { exclusive, setup, timeOf, type Process } from './processes.fixture.js';

const minuteMs = 60_000;

/** Where a process stands, of which there are up to three. */
const place = fc.nat({ max: 2 });
const operation = fc.constantFrom(
  'latest' as const,
  'claim' as const,
  'complete' as const,
  'release' as const,
);
const wait = fc.record({
  what: fc.constant('wait' as const),
  forMs: fc.constantFrom<number>(1_000, 30_000, 61_000, 150_000),
});
const steer = fc.record({ what: fc.constantFrom('kill' as const, 'stop' as const, 'pause' as const), place });
const bringBack = fc.record({ what: fc.constantFrom('start' as const, 'resume' as const), place });
const disturb = fc.record({
  what: fc.constantFrom('fail' as const, 'lose' as const, 'hold' as const),
  place,
  operation: fc.oneof(
    { weight: 2, arbitrary: fc.constant('claim' as const) },
    { weight: 1, arbitrary: operation },
  ),
});
const steps = fc.array(fc.oneof(wait, steer, bringBack, disturb), {
  maxLength: 25,
  size: 'max',
});
type Step = typeof steps extends fc.Arbitrary<(infer T)[]> ? T : never;

const settings = fc.record({
  overlap: fc.constantFrom('skip' as const, 'queue' as const, 'parallel' as const),
  takesMs: fc.constantFrom(0, 10_000, 90_000),
});
type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/** Up to three processes, and how often each occurrence has begun. */
class Cluster {
  readonly bundle = setup();
  readonly begun: number[] = [];
  private readonly places: (Process | undefined)[] = [undefined, undefined, undefined];
  private readonly paused = new Set<Process>();
  private readonly opens: (() => void)[] = [];

  constructor(private readonly settings: Settings) {}

  start(place: number): void {
    const { overlap, takesMs } = this.settings;
    this.places[place] ??= this.bundle.begin('any', { ...exclusive, overlap }, async (_, tick) => {
      this.begun.push(tick.scheduledAt.getTime());
      if (takesMs > 0)
        await new Promise<void>((resolve) => void this.bundle.clock.schedule(takesMs, resolve));
    });
  }

  async do(step: Step): Promise<void> {
    if (step.what === 'wait') return this.bundle.clock.advance(step.forMs);
    if (step.what === 'start') return this.start(step.place);
    const process = this.places[step.place];
    if (process === undefined) return;
    switch (step.what) {
      case 'kill':
      case 'stop':
        this.places[step.place] = undefined;
        return step.what === 'kill' ? process.kill() : void process.stop(); // goes on beside the others
      case 'pause':
        this.paused.add(process);
        return process.runner.pause();
      case 'resume':
        if (this.paused.delete(process)) process.runner.resume();
        return;
      case 'hold':
        this.opens.push(process.storage.hold(step.operation));
        return;
      case 'fail':
      case 'lose':
        return process.storage[step.what](step.operation);
      default:
        throw new Error(`no step: ${String(step)}`);
    }
  }

  /** All storages answer from now on. */
  async heal(): Promise<void> {
    for (const open of this.opens.splice(0)) open();
    for (const storage of this.bundle.shared.processes) storage.heal();
    await this.bundle.clock.advance(0);
  }

  async stopAll(): Promise<void> {
    const stops = this.places.map((process) => process?.stop());
    await this.bundle.clock.advance('10m');
    await Promise.all(stops);
  }
}

describe('an exclusive service in several processes', longTimeout, () => {
  it('runs every occurrence exactly once when they stop, start and are held up by nothing', async () => {
    const moves = fc.array(fc.record({ what: fc.constantFrom('start', 'stop', 'wait'), place }), {
      maxLength: 30,
    });
    const property = fc.asyncProperty(moves, fc.nat({ max: minuteMs }), async (all, waitMs) => {
      const cluster = new Cluster({ overlap: 'skip', takesMs: 0 });
      cluster.start(0);
      for (const { what, place } of all) {
        if (what === 'wait') await cluster.do({ what, forMs: waitMs });
        else if (what === 'start') cluster.start(place);
        else if (place !== 0) await cluster.do({ what: 'stop', place }); // one is there all the time
        await cluster.bundle.clock.advance(700);
      }
      const passed = Math.floor((cluster.bundle.clock.now() - Date.parse('2026-01-01')) / minuteMs);
      const { ran } = cluster.bundle;
      expect(ran.map(({ due }) => due)).toEqual(
        Array.from({ length: passed }, (_, index) => timeOf(new Date((index + 1) * minuteMs))),
      );
      expect(ran.every(({ missed }) => missed === 0)).toBe(true);
      await cluster.stopAll();
      expect(cluster.bundle.clock.pendingTimers).toBe(0);
    });
    await fc.assert(property, { numRuns: runs(60) });
  });

  it('runs none twice but those of a process that died, and goes on, whatever the processes and the storage do', async () => {
    const seen = { lost: 0, again: 0, released: 0 };
    const property = fc.asyncProperty(settings, steps, async (options, all) => {
      const cluster = new Cluster(options);
      const { begun, bundle } = cluster;
      cluster.start(0);
      cluster.start(1);
      for (const step of all) await cluster.do(step);
      await cluster.heal();
      await cluster.do({ what: 'stop', place: 0 });
      cluster.start(0);
      const healedAt = bundle.clock.now();
      await bundle.clock.advance('4m');
      expect(begun.some((due) => due > healedAt)).toBe(true);
      await cluster.stopAll();
      const { lost, processes, unfinished } = bundle.shared;
      for (const due of new Set(begun)) {
        const times = count(begun, due);
        expect(times).toBeLessThanOrEqual(1 + count(lost, due));
        if (times > 1) seen.again += 1;
      }
      seen.lost += lost.length;
      seen.released += processes
        .flatMap(({ calls }) => calls)
        .filter((call) => call.startsWith('release')).length;
      expect(bundle.clock.pendingTimers).toBe(0);
      // A claim that failed, or seemed to, and was then given up may be held for as long as its process lives.
      expect(unfinished === 0 || all.some(({ what }) => what === 'fail' || what === 'lose')).toBe(true);
    });
    await fc.assert(property, { numRuns: runs(150) });
    expect(Math.min(seen.lost, seen.again, seen.released)).toBeGreaterThan(0);
  });
});

function count(list: readonly number[], value: number): number {
  return list.filter((one) => one === value).length;
}
