import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BackgroundEvents,
  BackgroundModule,
  defineTask,
  TaskHandler,
  TaskQueue,
  type TaskContext,
} from 'nestjs-nightshift';
import { systemClock, type Clock } from 'nestjs-nightshift/channels';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';
import { expect, it, onTestFinished } from 'vitest';

const hourMs = 3_600_000;
const bake = defineTask<{ name: string }>('bake');

/** The machine's clock, set by somebody meanwhile. */
class SetClock implements Clock {
  offsetMs = 0;

  now(): number {
    return systemClock.now() + this.offsetMs;
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  schedule(delayMs: number, callback: () => void): ReturnType<Clock['schedule']> {
    return systemClock.schedule(delayMs, callback);
  }
}

/** Until leases would have run out, if they went by the clock that was set, or by this one without signs of life. */
function aLeaseLater(): Promise<void> {
  return new Promise((resolve) => {
    systemClock.schedule(1_500, resolve);
  });
}

/** Two applications on one file, by one clock, as two processes of one machine have it. */
async function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const clock = new SetClock();
  const begun: string[] = [];
  const troubles: string[] = [];
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));

  @Injectable()
  @TaskHandler(bake)
  class Baker implements TaskHandler<typeof bake> {
    async handle({ name }: { name: string }, { attempt }: TaskContext): Promise<void> {
      begun.push(`${name} ${attempt}`);
      if (name === 'long') await opened;
    }
  }

  const start = async () => {
    const engine = sqliteEngine({ file: join(directory, 'tasks.db'), lease: '1s', pollInterval: 10 });
    @Module({
      imports: [BackgroundModule.forRoot({ clock, engine, queue: { concurrency: 2 } })],
      providers: [Baker],
    })
    class App {}
    const module = await Test.createTestingModule({ imports: [App] }).compile();
    const app = module.createNestApplication({ logger: false });
    await app.init();
    onTestFinished(() => app.close());
    onTestFinished(open); // runs first
    app.get(BackgroundEvents).stream.subscribe(({ type }) => {
      if (/recovered|superseded|failed/.test(type)) troubles.push(type);
    });
    return app.get(TaskQueue);
  };
  const queues = [await start(), await start()] as const;
  return { clock, queues, begun, troubles, open };
}

it.each([
  { way: 'forward', jumpMs: hourMs },
  { way: 'back', jumpMs: -hourMs },
])('runs nothing twice and takes nobody for dead when the clock is set an hour $way', async ({ jumpMs }) => {
  const { clock, queues, begun, troubles, open } = await setup();
  const long = await queues[0].enqueue(bake, { name: 'long' });
  await expect.poll(() => begun).toEqual(['long 1']);
  clock.offsetMs += jumpMs;
  await aLeaseLater();
  const next = await queues[1].enqueue(bake, { name: 'next' });
  await next.result();
  open();
  await long.result();
  expect(begun).toEqual(['long 1', 'next 1']);
  expect(troubles).toEqual([]);
});

it('runs what is due by the clock that was set, and not before', async () => {
  const { clock, queues, begun } = await setup();
  const inAnHour = await queues[0].enqueue(bake, { name: 'in an hour' }, { delay: hourMs });
  const inTwo = await queues[0].enqueue(bake, { name: 'in two hours' }, { delay: 2 * hourMs });
  clock.offsetMs += hourMs;
  await inAnHour.result();
  clock.offsetMs -= hourMs;
  await (await queues[1].enqueue(bake, { name: 'now' })).result();
  expect(await inTwo.state()).toBe('scheduled');
  expect(begun).toEqual(['in an hour 1', 'now 1']);
});
