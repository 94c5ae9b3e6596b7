import { Cron, Interval, Timeout } from '@nestjs/schedule';
import { describe, expect, it } from 'vitest';
import type { BackgroundEvent } from '../events/events.js';
import { BackgroundHost } from '../hosting/host.js';
import { setup as setupApplication } from './application.fixture.js';
import { BackgroundService } from './decorators.js';

const warnings = (seen: readonly BackgroundEvent[]) =>
  seen.flatMap((event) =>
    event.type === 'host.warning' && event.code === 'EXCLUSIVE_ALONE' ? [event.message] : [],
  );

describe('exclusive services without a storage', () => {
  it('tick as others do, and are named in one warning when the application starts', async () => {
    const ran: string[] = [];
    @BackgroundService({ every: '10s', exclusive: true })
    class Cleanup {
      execute(): void {
        ran.push('cleanup');
      }
    }
    @BackgroundService({ exclusive: true })
    class Reports {
      @Cron('*/20 * * * * *')
      byCalendar(): void {
        ran.push('calendar');
      }
      @Interval(15_000)
      atIntervals(): void {
        ran.push('interval');
      }
    }
    @BackgroundService({ every: '1h', exclusive: true, enabled: false })
    class Disabled {
      execute(): void {}
    }
    @BackgroundService({ every: '1h' })
    class Own {
      execute(): void {}
    }
    const { app, clock, seen } = await setupApplication([Cleanup, Reports, Disabled, Own]);
    expect(warnings(seen)).toEqual([
      expect.stringMatching(
        /^Exclusive services: Cleanup, Reports.byCalendar, Reports.atIntervals. .*`engine`/,
      ),
    ]);
    const host = app.get(BackgroundHost);
    expect(host.services.map(({ name, exclusive }) => (exclusive ? name : ''))).toContain('Disabled');
    expect(host.service('Own').exclusive).toBe(false);
    expect(host.service('Reports.atIntervals').schedule).toBe('every 15s, aligned to the clock');
    await clock.advance('20s');
    expect(ran.toSorted()).toEqual(['calendar', 'cleanup', 'cleanup', 'interval']);
  });

  it('are named once, alone, when they are added later', async () => {
    const { app, seen } = await setupApplication([]);
    expect(warnings(seen)).toEqual([]);
    const host = app.get(BackgroundHost);
    const service = await host.addService(
      { execute: () => {} },
      { name: 'added', cron: '@daily', exclusive: true },
    );
    await service.stop();
    await service.start();
    expect(warnings(seen)).toEqual([expect.stringContaining('Exclusive services: added.')]);
  });

  it('cannot have a @Timeout() method: the class is refused while it is being defined', () => {
    class Reports {
      @Timeout(1_000)
      once(): void {}
    }
    const define = () => BackgroundService({ exclusive: true })(Reports);
    expect(define).toThrow(/exclusive.*@Timeout\(\)/s);
  });
});
