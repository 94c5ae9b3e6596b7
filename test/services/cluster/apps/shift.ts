// One process of a cluster: works on tasks that it shares with others of its kind, and enqueues some when it is told to, until it
// is told to stop or is killed. What it does is a line in a journal.
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundAdmin,
  BackgroundEvents,
  BackgroundModule,
  runUntilStopped,
  TaskHandler,
  TaskQueue,
  type TaskContext,
} from 'nestjs-nightshift';
import { Diary } from './diary.js';
import { Producer } from './producer.js';
import { open, type SharedEngine } from './shared-engine.js';
import { work, type Piece } from './work.js';

interface ShiftOptions {
  readonly engine: SharedEngine;
  readonly journal: string;
  readonly seed: number;
  /** How many tasks run here at once; with 0 it only enqueues. */
  readonly concurrency: number;
}

const { engine, journal, seed, concurrency } = JSON.parse(process.argv[2]!) as ShiftOptions;
const diary = new Diary(journal);
const { pid } = process;
const gates = { deaf: new EventEmitter(), heedful: new EventEmitter() } as const;

@Injectable()
@TaskHandler(work)
class Worker implements TaskHandler<typeof work> {
  async handle({ lasts, key = '-', failures = 0 }: Piece, context: TaskContext): Promise<void> {
    const { id, name, attempt } = context;
    tellNext();
    diary.note('start', id, attempt, pid, key, name, Date.now());
    await (typeof lasts === 'number' ? pass(lasts) : untilOpen(lasts, context));
    const isFailure = attempt <= failures;
    diary.note(isFailure ? 'fail' : 'end', id, attempt, pid);
    if (isFailure) throw new Error('not yet');
  }
}

let saidAtNextTask: string | undefined = 'first task';

function tellNext(): void {
  if (saidAtNextTask !== undefined) console.log(saidAtNextTask);
  saidAtNextTask = undefined;
}

async function pass(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms);
}

async function untilOpen(how: 'deaf' | 'heedful', { id, signal }: TaskContext): Promise<void> {
  console.log(`begins ${id}`);
  await new Promise<void>((resolve, reject) => {
    gates[how].once('open', resolve);
    signal.addEventListener('abort', () => {
      console.log(`aborted ${id} ${codeOf(signal.reason)}`);
      if (how === 'heedful') reject(signal.reason as Error);
    });
  });
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

@Module({
  imports: [
    BackgroundModule.forRoot({
      engine: open(engine),
      queue: { concurrency, retention: { completed: { count: 10_000_000, age: 'infinite' } } },
    }),
  ],
  providers: [Worker],
})
class Shift {}

const app = await NestFactory.createApplicationContext(Shift, { logger: ['error'] });
const queue = app.get(TaskQueue);
const events = app.get(BackgroundEvents);
events.on('task.superseded', ({ taskId }) => {
  diary.note('superseded', taskId, pid);
  console.log(`superseded ${taskId}`);
});
events.on('queue.paused', () => console.log('paused'));
events.on('queue.resumed', () => console.log('resumed'));
events.on('engine.failed', ({ during, error }) => console.log(`trouble: ${during}: ${codeOf(error)}`));

const producer = new Producer(queue, diary, seed);
let [stored, done] = [0, 0];
const commands: Readonly<Record<string, (...words: string[]) => unknown>> = {
  produce: (together, how) => producer.begin(Number(together), how === 'safely'),
  enough: () => producer.end(),
  /** To be said when the next task begins. */
  say: (...words) => (saidAtNextTask = words.join(' ')),
  enqueue: async (lasts, delayMs) => {
    const piece = { lasts: Number.isNaN(Number(lasts)) ? lasts : Number(lasts) } as Piece;
    const handle = await producer.enqueue(piece, delayMs === undefined ? {} : { delay: Number(delayMs) });
    console.log(`stored ${++stored} ${handle.id}`);
    await producer.untilDone(handle);
    console.log(`done ${++done} ${handle.id}`);
  },
  /** Enqueues one that is not to begin before long. */
  later: async (delayMs) => {
    const { id } = await queue.enqueue(work, { lasts: 0 }, { delay: Number(delayMs) });
    console.log(`later ${id}`);
  },
  /** Removes it, and says in what state it was. */
  forget: async (id) => {
    const state = await (await queue.find(id!))?.state();
    const admin = app.get(BackgroundAdmin);
    await admin.cancelTasks('default', { ids: [id!] });
    await admin.removeTasks('default', { ids: [id!] });
    console.log(`forgot ${id} ${state}`);
  },
  open: (how) => gates[how as keyof typeof gates].emit('open'),
  pause: () => queue.pause(),
  resume: () => queue.resume(),
};
const orders = createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...words] = line.split(' ');
  void commands[command!]!(...words);
});
if (queue.isPaused) console.log('paused'); // told before anybody could listen
const run = runUntilStopped(app);
console.log('working'); // only now: whoever reads it may send a signal at once
await run;
orders.close(); // would keep the process
process.stdin.destroy();
