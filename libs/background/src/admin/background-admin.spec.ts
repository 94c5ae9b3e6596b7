import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { UnknownNameError } from '../errors.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { BackgroundModule } from '../nest/background.module.js';
import { BackgroundService } from '../nest/decorators.js';
import { TaskQueue } from '../tasks/task-queue.js';
import { BackgroundAdmin } from './background-admin.js';

async function setup(execute: () => unknown = () => {}) {
  const clock = new ManualClock({ now: '2026-01-01T00:00:00Z' });
  @BackgroundService({ name: 'cleanup', every: '10s' })
  class Cleanup {
    execute(): void {
      void execute();
    }
  }
  const imports = [BackgroundModule.forRoot({ clock, queue: { capacity: 5 } })];
  const app = await Test.createTestingModule({ imports, providers: [Cleanup] }).compile();
  app.useLogger(false);
  onTestFinished(() => app.close());
  return { app, clock, admin: app.get(BackgroundAdmin), queue: app.get(TaskQueue) };
}

describe('BackgroundAdmin', () => {
  it('shows services and queues as plain data that JSON keeps whole', async () => {
    const { app, clock, admin, queue } = await setup();
    await app.init();
    await queue.enqueue(() => new Promise(() => {}));
    queue.pause();
    await queue.enqueue(() => {});
    await clock.advance('10s');
    const parsed = JSON.parse(JSON.stringify(admin.snapshot())) as unknown;
    expect(parsed).toEqual({
      state: 'running',
      services: [
        {
          name: 'queue:default',
          kind: 'queue',
          state: 'running',
          restarts: 0,
          startedAt: '2026-01-01T00:00:00.000Z',
          exclusive: false,
        },
        {
          name: 'cleanup',
          kind: 'ticked',
          state: 'running',
          restarts: 0,
          startedAt: '2026-01-01T00:00:00.000Z',
          exclusive: false,
          schedule: 'every 10s',
          lastTick: {
            id: expect.any(String) as string,
            scheduledAt: '2026-01-01T00:00:10.000Z',
            startedAt: '2026-01-01T00:00:10.000Z',
            endedAt: '2026-01-01T00:00:10.000Z',
            outcome: 'completed',
          },
          nextTickAt: '2026-01-01T00:00:20.000Z',
        },
      ],
      queues: [
        { name: 'default', durable: false, capacity: 5, waiting: 1, active: 1, scheduled: 0, paused: true },
      ],
    });
    const closed = app.close();
    await clock.advance('30s');
    await closed;
  });

  it.each([
    ['an error', new Error('disk full'), 'disk full'],
    ['anything else', 'disk full', 'disk full'],
  ])('shows the message of %s that a tick threw, and nothing else of it', async (_, thrown, message) => {
    const { app, clock, admin } = await setup(() => {
      throw thrown;
    });
    await app.init();
    await clock.advance('10s');
    const [, service] = admin.snapshot().services;
    expect(service).toMatchObject({ lastError: message, lastTick: { outcome: 'failed' } });
    expect(service!.lastTick).not.toHaveProperty('error');
  });

  it('shows where the application is in its life', async () => {
    const { app, admin } = await setup();
    const states = [admin.snapshot().state];
    await app.init();
    states.push(admin.snapshot().state);
    app.get(ApplicationLifetime).stopApplication();
    states.push(admin.snapshot().state);
    await app.close();
    states.push(admin.snapshot().state);
    expect(states).toEqual(['starting', 'running', 'stopping', 'stopped']);
  });

  it('gives a queue by its name, and names the nearest when there is none', async () => {
    const { admin, queue } = await setup();
    expect(admin.queue('default')).toBe(queue);
    expect(() => admin.queue('defualt')).toThrow(UnknownNameError);
    expect(() => admin.queue('defualt')).toThrow(/'default'/);
  });
});
