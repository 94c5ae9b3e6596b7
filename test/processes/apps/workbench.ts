// A durable queue that is told line by line what to do, and says line by line what it does.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundEvents,
  BackgroundModule,
  defineTask,
  runUntilStopped,
  TaskHandler,
  TaskQueue,
  type TaskContext,
} from 'nestjs-nightshift';
import { sqliteEngine, type SqliteEngineOptions } from 'nestjs-nightshift/sqlite';
import { aborted } from './serve.js';

interface WorkbenchOptions extends SqliteEngineOptions {
  readonly shutdownTimeout?: string;
  readonly concurrency?: number;
}

/** What a piece of work is like. */
type Kind = 'quick' | 'gated' | 'heedful' | 'deaf' | 'blocking';

interface Piece {
  readonly name: string;
  readonly kind: Kind;
  /** Makes it as big as that. */
  readonly padding: string;
}

const {
  shutdownTimeout = '10s',
  concurrency = 10,
  ...engineOptions
} = JSON.parse(process.argv[2]!) as WorkbenchOptions;
const work = defineTask<Piece>('work');
let openGate!: () => void;
const gate = new Promise<void>((resolve) => (openGate = resolve));

/** Keeps the event loop until somebody makes this file. */
function block(): void {
  while (!existsSync(`${engineOptions.file}.go`));
}

@Injectable()
@TaskHandler(work)
class Worker implements TaskHandler<typeof work> {
  async handle({ name, kind }: Piece, { attempt, signal }: TaskContext): Promise<void> {
    console.log(`begins ${name}, attempt ${attempt}`);
    switch (kind) {
      case 'gated':
        await gate;
        break;
      case 'heedful':
        await aborted(signal);
        throw signal.reason;
      case 'deaf':
        setInterval(() => {}, 1_000);
        return new Promise(() => {});
      case 'blocking':
        block();
        break;
      default:
    }
    console.log(`done ${name}`);
  }
}

@Module({
  imports: [
    BackgroundModule.forRoot({
      engine: sqliteEngine(engineOptions),
      shutdownTimeout,
      queue: { concurrency },
    }),
  ],
  providers: [Worker],
})
class Workbench {}

const app = await NestFactory.createApplicationContext(Workbench, { logger: ['error', 'warn', 'log'] });
const queue = app.get(TaskQueue);
const events = app.get(BackgroundEvents);
events.on('task.superseded', ({ name }) => console.log(`superseded ${name}`));
events.on('task.interrupted', ({ name }) => console.log(`interrupted ${name}`));
events.on('queue.recovered', ({ tasks }) =>
  console.log(`recovered ${tasks.map(({ name }) => name).join(' ')}`),
);
events.on('engine.failed', ({ during, error }) => console.log(`trouble: ${during}: ${codeOf(error)}`));

function codeOf(error: unknown): string {
  return `${(error as { code?: string }).code}`;
}

async function enqueue(name: string, kind: Kind, size = '0'): Promise<void> {
  const piece = { name, kind, padding: 'x'.repeat(Number(size)) };
  try {
    await queue.enqueue(work, piece, { name });
    console.log(`stored ${name}`);
  } catch (error) {
    console.log(`refused ${name}: ${codeOf(error)}: ${(error as Error).message}`);
  }
}

const orders = createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...words] = line.split(' ');
  if (command === 'open') openGate();
  else void enqueue(words[0]!, command as Kind, words[1]);
});
console.log('working');
await runUntilStopped(app);
orders.close(); // would keep the process
process.stdin.destroy();
