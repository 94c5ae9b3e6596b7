import type { Contender, Effort, Row } from './comparison.js';
import { atMost, atMostMore } from './goal.js';
import { median, quantile } from './statistics.js';
import type { Timeline } from './timeline.js';
import { runTimelines } from './timelines.js';

const periodMs = 2;
const ticks = 10_000;
/** The run is cut into so many parts, which stand for rounds. */
const stretches = 10;

// In the order in which `runTimelines` gives them.
const ours: Contender = { name: '@BackgroundService({ every })', role: 'ours' };
const bareTimer: Contender = { name: 'setTimeout() for each place of the grid', role: 'reference' };
const others: readonly Contender[] = [
  { name: 'setInterval()', role: 'reference' },
  { name: '@Interval() of @nestjs/schedule', role: 'peer' },
];

/** Whether ticks of a real clock stay on time, and keep to their schedule however long it runs. */
export function driftRows(): Row[] {
  let gathered: Promise<Timeline[]> | undefined;
  /** Both rows read the same ticks. */
  const gather = (effort: Effort): Promise<Timeline[]> =>
    (gathered ??= runTimelines(periodMs, ticks * effort.scale));
  const common =
    `${ticks.toLocaleString('en')} periods of ${periodMs} ms on the real clock, all contenders at once on one event loop, ` +
    'so that whatever holds up one holds up all. ';
  return [
    {
      about: {
        id: 'drift',
        title: `Drift over ${ticks.toLocaleString('en')} ticks`,
        how:
          common +
          'How much later, against its place on the grid (begin + n periods), the median tick of the last tenth of the run ' +
          'is than that of the first tenth. About 0: the schedule is kept, however long it runs. `setInterval` shows what ' +
          'a timer that begins anew each time adds up to.',
        unit: 'ms',
        better: 'lower',
      },
      contenders: [{ ...ours, goal: atMost(0.5) }, bareTimer, ...others],
      async samples(effort) {
        return (await gather(effort)).map(({ offsets }) => {
          const medians = inStretches(offsets).map(median);
          return [medians.at(-1)! - medians[0]!];
        });
      },
    },
    {
      about: {
        id: 'lateness',
        title: `Lateness of ${ticks.toLocaleString('en')} ticks, 99th percentile`,
        how:
          common +
          'How long after its due time a tick began; the 99th percentile of each tenth of the run. For `setInterval` and ' +
          '`@Interval()`, which keep no grid, a tick is due one period after the one before. The bare timer is ' +
          '`setTimeout()` armed for each due time of ours, and again when it comes too early: the best that Node has to offer.',
        unit: 'ms',
        better: 'lower',
      },
      contenders: [ours, { ...bareTimer, goal: atMostMore(0.25) }, ...others],
      async samples(effort) {
        return (await gather(effort)).map(({ lateness }) =>
          inStretches(lateness).map((each) => quantile(each, 0.99)),
        );
      },
    },
  ];
}

function inStretches(figures: readonly number[]): number[][] {
  const length = Math.ceil(figures.length / stretches);
  return Array.from({ length: stretches }, (_, index) => figures.slice(index * length, (index + 1) * length));
}
