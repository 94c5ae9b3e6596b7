import { Controller, HttpCode, Inject, Injectable, Post, Scope, type INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gate } from '../gate.fixture.js';
import { BackgroundHost } from '../hosting/host.js';
import type { TickContext } from '../scopes/context.js';
import { TaskQueue } from '../tasks/task-queue.js';
import { BackgroundModule } from './background.module.js';
import { BackgroundService, InjectBackgroundContext } from './decorators.js';

async function setup(adapter: AbstractHttpAdapter) {
  const log: unknown[] = [];
  const reply = gate();
  const clock = new ManualClock();

  @Injectable({ scope: Scope.REQUEST })
  class Session {
    constructor(@InjectBackgroundContext() readonly context: object) {}
  }

  @Controller()
  class Photos {
    constructor(
      @Inject(TaskQueue) private readonly queue: TaskQueue,
      @Inject(Session) private readonly session: Session,
    ) {}

    @Post('resize')
    @HttpCode(202)
    async resize(): Promise<string> {
      await this.queue.enqueue(async ({ scope }) => {
        await reply.opened;
        const session = await scope.resolve<Session>(Session);
        log.push(
          session === this.session ? "the request's" : 'its own',
          (session.context as { queue: string }).queue,
        );
      });
      return 'accepted';
    }
  }

  @BackgroundService({ every: '10s' })
  class Cleanup {
    constructor(@Inject(Session) readonly session: Session) {}
    execute(_: AbortSignal, tick: TickContext): void {
      log.push(this.session.context === tick);
    }
  }

  const testing = await Test.createTestingModule({
    imports: [BackgroundModule.forRoot({ clock })],
    controllers: [Photos],
    providers: [Session, Cleanup],
  }).compile();
  const app: INestApplication = testing.createNestApplication(adapter);
  app.useLogger(false);
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const post = async () =>
    fetch(`${await app.getUrl()}/resize`, { method: 'POST', headers: { connection: 'close' } });
  return { app, clock, log, post, reply };
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('an application on %s', (_, createAdapter) => {
  it('answers a request before the work that it enqueued is done, in a scope of its own', async () => {
    const { app, log, post, reply } = await setup(createAdapter());
    const response = await post();
    expect([response.status, await response.text(), log]).toEqual([202, 'accepted', []]);
    reply.open();
    await app.get(TaskQueue).whenIdle();
    expect(log).toEqual(['its own', 'default']);
  });

  it('drains what requests have enqueued when it closes', async () => {
    const { app, log, post, reply } = await setup(createAdapter());
    await post();
    const closed = app.close();
    reply.open();
    await closed;
    expect(log).toEqual(['its own', 'default']);
    expect(app.get(BackgroundHost).service('queue:default').state).toBe('stopped');
  });

  it('gives a tick its own context where a request has its own', async () => {
    const { clock, log } = await setup(createAdapter());
    await clock.advance('10s');
    expect(log).toEqual([true]);
  });
});
