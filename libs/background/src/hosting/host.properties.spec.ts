import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLong, runs } from '../../../../test/long-runs.js';
import * as laws from './host-laws.fixture.js';
import { plainPlans, steeredPlans, type HostPlan } from './host-plan.fixture.js';
import { HostPlay } from './host-play.fixture.js';

const { phasesAreBarriers, stopRejectsWithWhatHappened, startEndsAsItShould, ...always } = laws;

const lawsOfSteered = Object.values(always);
const lawsOfPlain = [...lawsOfSteered, phasesAreBarriers, stopRejectsWithWhatHappened, startEndsAsItShould];

/** Plays a plan and tells how it broke the laws: with the whole record, because the plan alone explains little. */
async function judge(plan: HostPlan, which: readonly ((play: HostPlay) => readonly string[])[]) {
  const play = new HostPlay(plan);
  await play.run();
  const broken = which.flatMap((law) => law(play).map((violation) => `${law.name}: ${violation}`));
  const lines = play.log.map((line, index) => `${index + 1}: ${line}`);
  if (broken.length > 0) throw new Error([...broken, ...lines].join('\n'));
  return play;
}

const long = isLong ? 600_000 : undefined;

describe('whatever its services do, and whenever it is stopped, a host', () => {
  it(
    'keeps every promise of its start and its stop when nobody steers single services',
    async () => {
      const seen = new Set<string>();
      const property = fc.asyncProperty(plainPlans, async (plan) => {
        const play = await judge(plan, lawsOfPlain);
        for (const type of play.bundle.types()) seen.add(type);
      });
      await fc.assert(property, { numRuns: runs(250) });
      expect([...seen]).toEqual(
        expect.arrayContaining([
          'host.startFailed',
          'host.started',
          'host.deadlinePassed',
          'service.abandoned',
        ]),
      );
    },
    long,
  );

  it(
    'keeps the promises made to each service when services are added, stopped and started one by one',
    async () => {
      const seen = new Set<string>();
      const property = fc.asyncProperty(steeredPlans, async (plan) => {
        const play = await judge(plan, lawsOfSteered);
        for (const { what } of play.requests) seen.add(what.replace(/\d/, ''));
      });
      await fc.assert(property, { numRuns: runs(250) });
      expect([...seen]).toEqual(expect.arrayContaining(['start', 'stop', 's.stop', 's.start', 'add added']));
    },
    long,
  );

  it(
    'does the same again when the same happens again',
    async () => {
      const property = fc.asyncProperty(steeredPlans, async (plan) => {
        const [first, second] = [new HostPlay(plan), new HostPlay(plan)];
        await first.run();
        await second.run();
        expect(second.log).toEqual(first.log);
      });
      await fc.assert(property, { numRuns: runs(50) });
    },
    long,
  );
});
