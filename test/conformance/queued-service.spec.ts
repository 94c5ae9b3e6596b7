import { Injectable, Scope, type LoggerService, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  ApplicationLifetime,
  BackgroundEvents,
  BackgroundHost,
  BackgroundModule,
  QueueClosedError,
  TaskQueue,
  type TaskQueueOptions,
} from 'nestjs-nightshift';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Gate } from '../demands/gate.js';

/** A running application with one queue, and the lines of its log, each with its level before it. */
async function setup({ providers = [], ...queue }: TaskQueueOptions & { providers?: Provider[] } = {}) {
  const clock = new ManualClock();
  const logged: string[] = [];
  const app = await Test.createTestingModule({
    imports: [BackgroundModule.forRoot({ clock, queue, shutdownTimeout: '30s' })],
    providers,
  })
    .setLogger(loggerInto(logged))
    .compile();
  onTestFinished(() => app.close());
  await app.init();
  const problems = (): string[] => logged.filter((line) => /^(warn|error|fatal)/.test(line));
  return { app, clock, problems, queue: app.get(TaskQueue), lifetime: app.get(ApplicationLifetime) };
}

function loggerInto(lines: string[]): LoggerService {
  const at = (level: string) => (message: unknown) => void lines.push(`${level} ${String(message)}`);
  return {
    log: at('log'),
    warn: at('warn'),
    error: at('error'),
    debug: at('debug'),
    verbose: at('verbose'),
    fatal: at('fatal'),
  };
}

describe('the queue as a hosted service', () => {
  it('Q4 takes a signal beside the work, which ends the wait for room and leaves nothing behind', async () => {
    const gate = new Gate();
    const { queue } = await setup({ capacity: 1 });
    const ran: string[] = [];
    await queue.enqueue(() => gate.opened);
    await queue.enqueue(() => ran.push('had room'));
    const controller = new AbortController();
    const reason = new Error('the client has gone');
    const waiting = queue.enqueue(() => ran.push('gave up'), { signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    gate.open();
    await queue.whenIdle();
    expect(ran).toEqual(['had room']);
  });

  it('Q6 Q9 lets work go on when the application stops, aborts it at the deadline, and names what never ran', async () => {
    const { app, clock, queue, problems } = await setup();
    const abandoned: unknown[] = [];
    app.get(BackgroundEvents).on('queue.abandoned', (event) => abandoned.push(event));
    const signals: AbortSignal[] = [];
    const stuck = await queue.enqueue(function stuck({ signal }) {
      signals.push(signal);
      return new Promise(() => {});
    });
    const waiting = await queue.enqueue(function patient() {});
    const closing = app.close();
    await clock.advance('29s');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance('1s');
    await closing;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(abandoned).toMatchObject([{ waiting: [{ taskId: waiting.id }], running: [{ taskId: stuck.id }] }]);
    expect(problems().join('\n')).toMatch(/^error .*patient.*stuck/m);
  });

  it('Q7 logs the error of a task as an error, goes on with the next, and the host runs on', async () => {
    const { app, queue, lifetime, problems } = await setup();
    await queue.enqueue(() => Promise.reject(new Error('no ink')), { name: 'print' });
    const next = await queue.enqueue(() => 'next');
    expect(await next.result()).toBe('next');
    expect(problems()).toEqual([expect.stringMatching(/^error .*'print'.*no ink/)]);
    expect(lifetime.stopping.aborted).toBe(false);
    expect(app.get(BackgroundHost).service('queue:default').state).toBe('running');
  });

  it('Q8 stops without a warning or an error when its worker waits for work', async () => {
    const { app, problems } = await setup();
    await app.close();
    expect(problems()).toEqual([]);
    expect(app.get(BackgroundHost).service('queue:default').state).toBe('stopped');
  });

  it("Q8 stops without a warning or an error when a user's own worker waits, which hears that it is closed", async () => {
    const { app, queue, problems } = await setup({ concurrency: 0 });
    const dequeued = queue.dequeue().catch((error: unknown) => error);
    await app.close();
    expect(await dequeued).toBeInstanceOf(QueueClosedError);
    expect(problems()).toEqual([]);
  });

  it('Q11 gives each task a scope of its own, disposed after it', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Session implements Disposable {
      [Symbol.dispose](): void {
        log.push('disposed');
      }
    }
    const { queue } = await setup({ providers: [Session] });
    const sessions: object[] = [];
    for (let task = 1; task <= 2; task++) {
      const handle = await queue.enqueue(async ({ scope }) => {
        sessions.push(await scope.resolve(Session));
        log.push('ran');
      });
      await handle.result();
    }
    expect(sessions[0]).not.toBe(sessions[1]);
    expect(log).toEqual(['ran', 'disposed', 'ran', 'disposed']);
  });

  it('Q12 still takes what producers hand over until they see that the application stops', async () => {
    const { app, queue, lifetime } = await setup({ capacity: 1 });
    const enqueued: number[] = [];
    const ran: number[] = [];
    const produce = async (): Promise<void> => {
      for (let item = 0; !lifetime.stopping.aborted; item++) {
        await queue.enqueue(async () => {
          await Promise.resolve();
          ran.push(item);
        });
        enqueued.push(item);
        if (item === 20) lifetime.stopApplication();
      }
    };
    await produce();
    await queue.enqueue(() => ran.push(-1)); // requests are still answered
    await app.close();
    expect(enqueued).toHaveLength(21);
    expect(ran).toEqual([...enqueued, -1]);
  });

  it('Q13 counts work until its promise settles, and keeps the application from closing until then', async () => {
    const gate = new Gate();
    const log: string[] = [];
    const { app, clock, queue } = await setup();
    await queue.enqueue(async () => {
      await gate.opened;
      log.push('work ends');
    });
    await clock.advance(0);
    expect(queue.active).toBe(1);
    const closing = app.close().then(() => log.push('application closed'));
    await clock.advance('10s');
    expect(log).toEqual([]);
    gate.open();
    await closing;
    expect(log).toEqual(['work ends', 'application closed']);
    expect(queue.active).toBe(0);
  });
});
