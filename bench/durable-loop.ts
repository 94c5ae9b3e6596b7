import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contender, Effort, Figures, Repeatable, Row, Skipped } from './comparison.js';
import { startClock } from './durable-work.js';
import { atMostMore } from './goal.js';
import { openDurableQueue, type OpenDurableQueue } from './open-durable-queue.js';
import { takeTurns } from './turns.js';

const perSecond = 10_000;
const secondsOf = ({ scale }: Effort): number => Math.max(0.5, 1.5 * scale);

interface Load extends Contender {
  readonly thread: boolean;
  readonly perSecond: number;
}

const loads: readonly Load[] = [
  { name: '`thread: true`', role: 'ours', thread: true, perSecond },
  { name: 'in the thread of the application', role: 'variant', thread: false, perSecond },
  {
    name: 'the same application, idle',
    role: 'reference',
    goal: atMostMore(5),
    thread: true,
    perSecond: 0,
  },
];

interface Passed {
  readonly delays: readonly (Figures | Skipped)[];
  readonly paces: readonly Figures[];
}

/** What an application that answers requests notices of the tasks that pass through it. */
export function durableLoopRows(): Row[] {
  let gathered: Promise<Passed> | undefined;
  /** Both rows are about the same seconds. */
  const gather = (effort: Effort): Promise<Passed> => (gathered ??= passTasks(effort));
  const pace = perSecond.toLocaleString('en');
  return [
    {
      about: {
        id: 'durable-loop',
        title: `Event-loop delay while ${pace} durable tasks pass in a second, 99th percentile`,
        how:
          `An application enqueues ${pace} tasks a second, about ten in each millisecond, and works them off at once, with a ` +
          'handler that does nothing; `synchronous` is `full`. The delay is that of `monitorEventLoopDelay({ resolution: 1 })`, ' +
          'of which the same application has a millisecond or so when it is idle. Held to the goal is `thread: true`, which ' +
          'is for processes that answer requests as well.',
        unit: 'ms',
        better: 'lower',
      },
      contenders: loads,
      samples: async (effort) => (await gather(effort)).delays,
    },
    {
      about: {
        id: 'durable-loop-pace',
        title: 'Durable tasks that passed meanwhile',
        how: `How many tasks were enqueued and completed in a second, when ${pace} were asked for: the delays above are worth that much.`,
        unit: 'tasks/s',
        better: 'higher',
      },
      contenders: loads.slice(0, 2),
      samples: async (effort) => (await gather(effort)).paces,
    },
  ];
}

async function passTasks(effort: Effort): Promise<Passed> {
  const paces: number[][] = loads.map(() => []);
  const contenders = loads.map((load, index): Repeatable => {
    const prepare: Repeatable['prepare'] = async () => {
      const app = await openDurableQueue({ thread: load.thread });
      const sample = async (): Promise<number> => {
        const { delayMs, pace } = await pass(app, load.perSecond, secondsOf(effort));
        paces[index]!.push(pace);
        return delayMs;
      };
      return { sample, close: app.close };
    };
    return { ...load, prepare };
  });
  const delays = await takeTurns(contenders, effort);
  return { delays, paces: paces.slice(0, 2).map((each) => each.slice(-effort.rounds)) };
}

/** Enqueues at a steady pace for a while, and waits until all is done. */
async function pass(
  { enqueue, queue }: OpenDurableQueue,
  tasksPerSecond: number,
  seconds: number,
): Promise<{ delayMs: number; pace: number }> {
  const elapsedMs = startClock();
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let sent = 0;
  const accepted: Promise<unknown>[] = [];
  while (elapsedMs() < seconds * 1_000) {
    await delay(tasksPerSecond === 0 ? 50 : 1);
    for (const due = (elapsedMs() / 1_000) * tasksPerSecond; sent < due; sent += 1) accepted.push(enqueue());
  }
  delays.disable();
  await Promise.all(accepted);
  await queue.whenIdle();
  return { delayMs: delays.percentile(99) / 1e6, pace: sent / (elapsedMs() / 1_000) };
}
