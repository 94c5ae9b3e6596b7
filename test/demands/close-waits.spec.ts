import { Cron, ScheduleModule } from '@nestjs/schedule';
import { BackgroundService, TaskQueue } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication, type Application } from './application.js';
import { Gate } from './gate.js';

/** Closes while work stands at the gate, and tells in which order they ended. */
async function closeDuringWork({ app, clock }: Application, gate: Gate, ends: string[]): Promise<void> {
  const closing = app.close().then(() => ends.push('close()'));
  await clock.advance(0);
  expect(ends).toEqual([]);
  gate.open();
  await closing;
}

describe('nestjs/nest#9704: app.close() waits for running work', () => {
  it('ends after the tick when a tick is running', async () => {
    const gate = new Gate();
    const ends: string[] = [];

    @BackgroundService({ every: '1m' })
    class Report implements BackgroundService {
      async execute(): Promise<void> {
        await gate.opened;
        ends.push('tick');
      }
    }
    await using application = await startApplication({ providers: [Report] });
    await application.clock.advance('1m');
    await closeDuringWork(application, gate, ends);
    expect(ends).toEqual(['tick', 'close()']);
  });

  it('ends after the @Cron() method, which does not run again, when one is running', async () => {
    const gate = new Gate();
    const ends: string[] = [];

    @BackgroundService()
    class Report {
      @Cron('* * * * * *')
      async write(): Promise<void> {
        await gate.opened;
        ends.push('cron job');
      }
    }
    await using application = await startApplication({
      imports: [ScheduleModule.forRoot()],
      providers: [Report],
    });
    await application.clock.advance('1s');
    await closeDuringWork(application, gate, ends);
    await application.clock.advance('1m');
    expect(ends).toEqual(['cron job', 'close()']);
  });

  it('ends after every accepted task when one is running and one waits', async () => {
    const gate = new Gate();
    const ends: string[] = [];
    await using application = await startApplication({});
    const queue = application.app.get(TaskQueue);
    await queue.enqueue(async () => {
      await gate.opened;
      ends.push('running task');
    });
    await queue.enqueue(() => void ends.push('waiting task'));
    await closeDuringWork(application, gate, ends);
    expect(ends).toEqual(['running task', 'waiting task', 'close()']);
  });
});
