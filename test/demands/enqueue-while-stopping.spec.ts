import { BackgroundService, QueueClosedError, TaskQueue } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.js';
import { Gate } from './gate.js';

describe('nestjs/bull#2069: work that runs while the application stops may enqueue more', () => {
  it('runs the children of a task, and theirs, when they are enqueued during the drain', async () => {
    const gate = new Gate();
    const ran: string[] = [];
    await using application = await startApplication({});
    const { app, clock } = application;
    const queue = app.get(TaskQueue);
    await queue.enqueue(async () => {
      await gate.opened;
      await queue.enqueue(async () => {
        ran.push('child');
        await queue.enqueue(() => void ran.push('grandchild'));
      });
      ran.push('parent');
    });
    const closing = app.close();
    await clock.advance(0);
    await expect(queue.enqueue(() => void ran.push('stranger'))).rejects.toThrow(QueueClosedError);
    gate.open();
    await closing;
    expect(ran).toEqual(['parent', 'child', 'grandchild']);
  });

  it('runs what the last tick of a service hands over when that tick ends during the stop', async () => {
    const gate = new Gate();
    const ran: string[] = [];

    @BackgroundService({ every: '1m' })
    class Import implements BackgroundService {
      constructor(private readonly queue: TaskQueue) {}

      async execute(): Promise<void> {
        await gate.opened;
        await this.queue.enqueue(() => void ran.push('last row'));
      }
    }
    await using application = await startApplication({ providers: [Import] });
    const { app, clock } = application;
    await clock.advance('1m');
    const closing = app.close();
    await clock.advance(0);
    gate.open();
    await closing;
    expect(ran).toEqual(['last row']);
  });
});
