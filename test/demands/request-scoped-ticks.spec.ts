import { Injectable, Scope } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { BackgroundService } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.js';

@Injectable({ scope: Scope.REQUEST })
class UnitOfWork {}

@Injectable()
class Orders {
  constructor(readonly unitOfWork: UnitOfWork) {}
}

describe('nestjs/schedule#505: scheduled work with request-scoped dependencies', () => {
  it('ticks, each time with a new instance, when something deep down is request-scoped', async () => {
    const seen: UnitOfWork[] = [];

    @BackgroundService({ every: '1m' })
    class Cleanup implements BackgroundService {
      constructor(private readonly orders: Orders) {}

      execute(): void {
        seen.push(this.orders.unitOfWork);
      }
    }
    await using application = await startApplication({ providers: [UnitOfWork, Orders, Cleanup] });
    await application.clock.advance('3m');
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(3);
  });

  it('runs a @Cron() method of such a class beside ScheduleModule, which would leave it out', async () => {
    const seen: UnitOfWork[] = [];

    @BackgroundService()
    class Cleanup {
      constructor(private readonly orders: Orders) {}

      @Cron('0 * * * * *')
      sweep(): void {
        seen.push(this.orders.unitOfWork);
      }
    }
    await using application = await startApplication({
      imports: [ScheduleModule.forRoot()],
      providers: [UnitOfWork, Orders, Cleanup],
    });
    await application.clock.advance('2m');
    expect(seen).toHaveLength(2);
    expect(new Set(seen).size).toBe(2);
    expect(application.logged.join('\n')).not.toContain('Cannot register cron job');
  });
});
