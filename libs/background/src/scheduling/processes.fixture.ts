import type { Clock } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent } from '../events/events.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import { resolveServiceOptions, type BackgroundServiceOptions } from './background-service.options.js';
import { SharedOccurrences } from './shared-occurrences.fixture.js';
import type { TickWork } from './tick-execution.js';
import { TickRunner } from './tick-runner.js';
import type { Trigger } from './trigger.js';

const everyMinute: BackgroundServiceOptions = { cron: '* * * * *', timeZone: 'UTC' };
export const exclusive: BackgroundServiceOptions = { ...everyMinute, exclusive: true };
export const alone: BackgroundServiceOptions = everyMinute;

/** Several processes with one clock and one storage, from midnight on. Each runs the same service, every minute. */
export function setup() {
  const clock = new ManualClock();
  const shared = new SharedOccurrences();
  /** What ran: `'00:01:00'`, by which process, and how many it was told were missed. */
  const ran: { readonly due: string; readonly by: string; readonly missed: number }[] = [];

  /** A process that has begun. */
  const begin = (
    by: string,
    { trigger, ...options }: BackgroundServiceOptions & { trigger?: Trigger } = exclusive,
    work: TickWork = () => {},
    prepare: (storage: ReturnType<SharedOccurrences['process']>) => void = () => {},
  ) => {
    const life = { isAlive: true };
    const own: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      schedule: (delayMs, callback) => clock.schedule(delayMs, () => life.isAlive && callback()),
    };
    const storage = shared.process();
    prepare(storage);
    const events = new BackgroundEvents(own);
    const seen: BackgroundEvent[] = [];
    events.stream.subscribe((event) => seen.push(event));
    const { ticks } = resolveServiceOptions(options, 'test', 'a');
    const runner = new TickRunner({
      name: 'a',
      clock: own,
      events,
      scopes: new NoScopes(),
      options: { ...ticks, trigger: trigger ?? ticks.trigger! },
      occurrences: storage,
      work: (signal, tick) => {
        if (!life.isAlive) return;
        ran.push({ due: timeOf(tick.scheduledAt), by, missed: tick.missed });
        return work(signal, tick);
      },
    });
    const told: string[] = [];
    runner.attach({
      completed: () => told.push('completed'),
      faulted: () => told.push('faulted'),
      restarting: () => {},
      restarted: () => {},
    });
    const restart = () => {
      runner.start();
      runner.begin();
    };
    restart();
    return {
      runner,
      storage,
      seen,
      told,
      restart,
      stop: (signal = new AbortController().signal) => runner.stop(signal),
      /** It is gone at once, like a process that is killed. */
      kill: () => {
        life.isAlive = false;
        storage.die();
      },
      skips: () =>
        seen.flatMap((event) =>
          event.type === 'tick.skipped' ? [`${timeOf(event.scheduledAt)} ${event.because}`] : [],
        ),
      released: () =>
        seen.flatMap((event) => (event.type === 'tick.released' ? [timeOf(event.scheduledAt)] : [])),
      failures: () =>
        seen.flatMap((event) =>
          event.type === 'occurrence.storageFailed' ? [`${event.operation} ${event.retryInMs}`] : [],
        ),
    };
  };
  const dues = () => ran.map(({ due }) => due);
  return { clock, shared, begin, ran, dues };
}

export type Process = ReturnType<ReturnType<typeof setup>['begin']>;

export function timeOf(date: Date): string {
  return date.toISOString().slice(11, 19);
}
