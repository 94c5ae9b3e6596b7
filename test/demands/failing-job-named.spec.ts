import { Cron, ScheduleModule } from '@nestjs/schedule';
import { BackgroundService, TaskQueue } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.js';

describe('nestjs/schedule#956: the log names the job that failed', () => {
  it('when it is a @Cron() method: by class and method, or by the name given', async () => {
    @BackgroundService()
    class Invoices {
      @Cron('0 * * * * *')
      send(): void {
        throw new Error('no stamps');
      }

      @Cron('0 * * * * *', { name: 'reminders' })
      remind(): void {
        throw new Error('no paper');
      }
    }
    await using application = await startApplication({
      imports: [ScheduleModule.forRoot()],
      providers: [Invoices],
    });
    await application.clock.advance('1m');
    expect(application.logged).toContain("A tick of 'Invoices.send' failed: no stamps");
    expect(application.logged).toContain("A tick of 'reminders' failed: no paper");
  });

  it('when it is a tick, a long-running service or a task', async () => {
    @BackgroundService({ every: '1m' })
    class Cleanup implements BackgroundService {
      execute(): void {
        throw new Error('no broom');
      }
    }

    @BackgroundService({ exceptionBehavior: 'ignore' })
    class Consumer implements BackgroundService {
      execute(): void {
        throw new Error('no broker');
      }
    }
    await using application = await startApplication({ providers: [Cleanup, Consumer] });
    await application.clock.advance('1m');
    await application.app.get(TaskQueue).enqueue(function resizePhoto() {
      throw new Error('no photo');
    });
    await application.clock.advance(0);
    const log = application.logged.join('\n');
    expect(log).toContain("A tick of 'Cleanup' failed: no broom");
    expect(log).toContain("Service 'Consumer' faulted, and the others go on: no broker");
    expect(log).toMatch(/Task 'resizePhoto' \(.+\) of queue 'default' failed: no photo/);
  });
});
