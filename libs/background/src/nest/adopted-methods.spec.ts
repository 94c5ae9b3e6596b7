import { Inject, Injectable, Scope, type Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Cron, CronExpression, Interval, ScheduleModule, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { BackgroundHost } from '../hosting/host.js';
import { SharedOccurrences } from '../scheduling/shared-occurrences.fixture.js';
import type { TickContext } from '../scopes/context.js';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { setup as setupApplication } from './application.fixture.js';
import { BackgroundService } from './decorators.js';
import { ServiceDiscovery } from './discovery.js';

async function setup(...providers: Provider[]) {
  const { app, clock, seen } = await setupApplication(providers, [ScheduleModule.forRoot()]);
  const registry = app.get(SchedulerRegistry);
  const scheduled = () => [
    ...registry.getCronJobs().keys(),
    ...registry.getIntervals(),
    ...registry.getTimeouts(),
  ];
  const host = app.get(BackgroundHost);
  const names = host.services.map(({ name }) => name).filter((name) => name !== 'queue:default');
  return { app, clock, seen, scheduled, host, names };
}

describe('methods that @nestjs/schedule decorates', () => {
  it('are ticks of the host, and none of ScheduleModule, in a background service', async () => {
    const log: string[] = [];
    @BackgroundService()
    class Reports {
      @Cron('*/10 * * * * *')
      byCalendar(_: AbortSignal, tick: TickContext): void {
        log.push(`calendar ${tick.count}`);
      }
      @Interval(15_000)
      atIntervals(): void {
        log.push('interval');
      }
      @Timeout(5_000)
      once(signal: AbortSignal): void {
        log.push(signal instanceof AbortSignal ? 'once' : 'no signal');
      }
    }
    const { clock, scheduled, names, host } = await setup(Reports);
    expect(scheduled()).toEqual([]);
    expect(names).toEqual(['Reports.byCalendar', 'Reports.atIntervals', 'Reports.once']);
    await clock.advance('20s');
    expect(log).toEqual(['once', 'calendar 1', 'interval', 'calendar 2']);
    expect(host.service('Reports.once').state).toBe('completed');
  });

  it('stay with ScheduleModule in every other class', async () => {
    @Injectable()
    class Elsewhere {
      @Cron(CronExpression.EVERY_DAY_AT_NOON, { name: 'noon' })
      noon(): void {}
    }
    const { scheduled, names } = await setup(Elsewhere);
    expect(scheduled()).toEqual(['noon']);
    expect(names).toEqual([]);
  });

  it('run with a fresh instance for each tick in a request-scoped class', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Orders implements Disposable {
      [Symbol.dispose](): void {
        log.push('disposed');
      }
    }
    const instances = new Set<object>();
    @BackgroundService()
    class Reports {
      constructor(@Inject(Orders) readonly orders: object) {}
      @Interval('reports', 10_000)
      make(): void {
        instances.add(this.orders);
      }
    }
    const { clock, names, scheduled } = await setup(Orders, Reports);
    expect([names, scheduled()]).toEqual([['reports'], []]);
    await clock.advance('20s');
    expect(instances.size).toBe(2);
    expect(log).toEqual(['disposed', 'disposed']);
  });

  it('take their names, time zone, delay and disablement from the decorator', async () => {
    const ran: string[] = [];
    @BackgroundService({ name: 'reports' })
    class Reports {
      @Cron('0 0 9 * * *', { name: 'morning', timeZone: 'Europe/Berlin' })
      morning(): void {}
      @Cron('0 0 9 * * *', { utcOffset: 120 })
      offset(): void {}
      @Cron('* * * * * *', { name: 'off', disabled: true })
      off(): void {
        ran.push('off');
      }
      @Cron('*/10 * * * * *', { name: 'delayed', initialDelay: 25_000 })
      delayed(): void {
        ran.push('delayed');
      }
      @Timeout('late', 60_000)
      late(): void {}
    }
    const { host, clock, names } = await setup(Reports);
    expect(names).toEqual(['morning', 'reports.offset', 'off', 'delayed', 'late']);
    expect(host.service('morning').nextTickAt).toEqual(new Date('2026-01-01T08:00:00Z'));
    expect(host.service('reports.offset').nextTickAt).toEqual(new Date('2026-01-01T07:00:00Z'));
    expect(host.service('off').state).toBe('disabled');
    await clock.advance('30s');
    expect(ran).toEqual(['delayed']);
  });

  it('may be due at a date', async () => {
    const ran: string[] = [];
    @BackgroundService()
    class Reports {
      @Cron(new Date('2026-01-01T00:01:00Z'))
      atDate(): void {
        ran.push('date');
      }
      @Cron({ toMillis: () => Date.UTC(2026, 0, 1, 0, 2) } as never)
      atDateTime(): void {
        ran.push('date time');
      }
    }
    const { clock } = await setup(Reports);
    await clock.advance('1m');
    expect(ran).toEqual(['date']);
    await clock.advance('1m');
    expect(ran).toEqual(['date', 'date time']);
  });

  it('follow the tick options of the class', async () => {
    @BackgroundService({ overlap: 'skip', timeout: '3s', enabled: true })
    class Reports {
      @Interval(10_000)
      slow(signal: AbortSignal): Promise<void> {
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      }
    }
    const { clock, seen, host } = await setup(Reports);
    await clock.advance('13s');
    expect(seen.map(({ type }) => type)).toContain('tick.timedOut');
    expect(host.service('Reports.slow').lastTick).toMatchObject({ outcome: 'timedOut' });
  });

  it('do not overlap, do no harm when they fail, and are waited for at the stop', async () => {
    const gates: (() => void)[] = [];
    @BackgroundService()
    class Reports {
      @Interval('slow', 10_000)
      slow(): Promise<void> {
        return new Promise((resolve) => gates.push(resolve));
      }
      @Interval('failing', 10_000)
      failing(): never {
        throw new Error('broken');
      }
    }
    const { app, clock, seen, host } = await setup(Reports);
    await clock.advance('20s');
    expect(gates).toHaveLength(1);
    expect(seen.filter(({ type }) => type === 'tick.skipped')).toHaveLength(1);
    expect([host.service('failing').state, host.service('slow').state]).toEqual(['running', 'running']);
    const closed = app.close();
    await clock.advance(0);
    expect(host.service('slow').state).toBe('stopping');
    gates[0]!();
    await closed;
    expect(host.service('slow').state).toBe('stopped');
  });

  it('run beside execute() of the same class', async () => {
    const ran: string[] = [];
    @BackgroundService()
    class Reports {
      execute(): void {
        ran.push('execute');
      }
      @Interval(10_000)
      tick(): void {
        ran.push('tick');
      }
    }
    const { clock, names } = await setup(Reports);
    await clock.advance('10s');
    expect(names).toEqual(['Reports', 'Reports.tick']);
    expect(ran).toEqual(['execute', 'tick']);
  });

  it('are kept in a storage by the names of their services, when there is one', async () => {
    @BackgroundService({ exclusive: true })
    class Reports {
      @Cron('*/10 * * * * *')
      byCalendar(): void {}
      @Interval('counters', 15_000)
      atIntervals(): void {}
    }
    const { app, clock } = await setup(Reports);
    const shared = new SharedOccurrences();
    const dependencies = {
      clock,
      events: new BackgroundEvents(clock),
      scopes: app.get(ServiceScopeFactory),
      wrap: undefined,
      exceptionBehavior: 'stopHost',
      occurrences: shared.process(),
    } as const;
    const discovery = new ServiceDiscovery(app.get(ModulesContainer), dependencies, dependencies.events);
    const runners = discovery.discover().map(({ runner }) => runner);
    for (const runner of runners) runner.begin!();
    await clock.advance('20s');
    expect(shared.latest('Reports.byCalendar')).toBe(Date.parse('2026-01-01T00:00:20Z'));
    expect(shared.latest('counters')).toBe(Date.parse('2026-01-01T00:00:15Z'));
    for (const runner of runners) await runner.stop(new AbortController().signal);
  });

  it('are inherited, and replaced when they are overridden', async () => {
    const ran: string[] = [];
    class Base {
      @Interval(10_000)
      kept(): void {
        ran.push(`kept by ${this.constructor.name}`);
      }
      @Interval(10_000)
      replaced(): void {
        ran.push('never');
      }
    }
    @BackgroundService()
    class North extends Base {
      @Timeout(5_000)
      override replaced(): void {
        ran.push('replaced');
      }
    }
    @BackgroundService()
    class South extends Base {}
    const { clock, names, scheduled } = await setup(North, South);
    expect(names.toSorted()).toEqual(['North.kept', 'North.replaced', 'South.kept', 'South.replaced']);
    expect(scheduled()).toEqual([]);
    await clock.advance('10s');
    expect(ran.toSorted()).toEqual(['kept by North', 'kept by South', 'never', 'replaced']);
  });

  it.each([
    ['@Cron()', () => Cron('every now and then')],
    ['@Cron()', () => Cron('0 * * * *', { timeZone: 'Mars/Olympus' })],
    ['@Interval()', () => Interval(0)],
    ['@Interval()', () => Interval(Number.NaN)],
    ['@Timeout()', () => Timeout(-1)],
  ])(
    'are refused, by name, while the class is being defined when %s is given no schedule',
    (decorator, decorate) => {
      const define = () => {
        @BackgroundService()
        class Reports {
          @decorate()
          make(): void {}
        }
        return Reports;
      };
      expect(define).toThrow(InvalidOptionsError);
      expect(define).toThrow(`${decorator} Reports.make()`);
    },
  );
});
