import { Module } from '@nestjs/common';
import { Cron, Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { BackgroundService } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.js';

describe('nestjs/schedule#2097: registered twice, run once', () => {
  it('runs a service once, and says which one, when two modules provide it', async () => {
    let ticks = 0;

    @BackgroundService({ every: '1m' })
    class Cleanup implements BackgroundService {
      execute(): void {
        ticks += 1;
      }
    }

    @Module({ providers: [Cleanup] })
    class OrdersModule {}

    @Module({ providers: [Cleanup] })
    class InvoicesModule {}
    await using application = await startApplication({ imports: [OrdersModule, InvoicesModule] });
    await application.clock.advance('1m');
    expect(ticks).toBe(1);
    expect(application.logged.join('\n')).toMatch(
      /Cleanup is provided by OrdersModule and by InvoicesModule\. It runs once/,
    );
  });

  it('runs @Cron() and @Interval() methods once when ScheduleModule is imported twice', async () => {
    const runs: string[] = [];

    @BackgroundService()
    class Cleanup {
      @Cron('0 * * * * *')
      sweep(): void {
        runs.push('cron');
      }

      @Interval(60_000)
      poll(): void {
        runs.push('interval');
      }
    }

    @Module({ imports: [ScheduleModule.forRoot()], providers: [Cleanup] })
    class OrdersModule {}
    await using application = await startApplication({ imports: [ScheduleModule.forRoot(), OrdersModule] });
    await application.clock.advance('1m');
    expect([...runs].toSorted()).toEqual(['cron', 'interval']);
    const registry = application.app.get(SchedulerRegistry, { strict: false });
    expect([...registry.getCronJobs().keys(), ...registry.getIntervals()]).toEqual([]);
  });
});
