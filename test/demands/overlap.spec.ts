import { Interval, ScheduleModule } from '@nestjs/schedule';
import { BackgroundService } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.js';
import { Gate } from './gate.js';

/** Counts how many calls are inside at once; each stays until the gate is opened. */
class Turnstile {
  entered = 0;
  readonly gate = new Gate();

  async pass(): Promise<void> {
    this.entered += 1;
    await this.gate.opened;
  }
}

describe('nestjs/schedule#1869: no second run while one is going on', () => {
  it('skips what is due meanwhile when an @Interval() method takes longer than its interval', async () => {
    const turnstile = new Turnstile();

    @BackgroundService()
    class Importer {
      @Interval(300)
      run(): Promise<void> {
        return turnstile.pass();
      }
    }
    await using application = await startApplication({
      imports: [ScheduleModule.forRoot()],
      providers: [Importer],
    });
    await application.clock.advance(1_200);
    expect(turnstile.entered).toBe(1);
    turnstile.gate.open();
    await application.clock.advance(300);
    expect(turnstile.entered).toBe(2);
  });

  it('runs one at once afterwards, however many were due, when overlap is queue', async () => {
    const turnstile = new Turnstile();

    @BackgroundService({ every: 300, overlap: 'queue' })
    class Importer implements BackgroundService {
      execute(): Promise<void> {
        return turnstile.pass();
      }
    }
    await using application = await startApplication({ providers: [Importer] });
    await application.clock.advance(1_200);
    expect(turnstile.entered).toBe(1);
    turnstile.gate.open();
    await application.clock.advance(0);
    expect(turnstile.entered).toBe(2);
  });

  it('runs them side by side only when overlap is parallel', async () => {
    const turnstile = new Turnstile();

    @BackgroundService({ every: 300, overlap: 'parallel' })
    class Importer implements BackgroundService {
      execute(): Promise<void> {
        return turnstile.pass();
      }
    }
    await using application = await startApplication({ providers: [Importer] });
    await application.clock.advance(1_200);
    expect(turnstile.entered).toBe(4);
    turnstile.gate.open();
  });
});
