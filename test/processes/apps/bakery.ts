// Takes orders of all kinds and works on them, on a file that it shares with others of its kind, until somebody kills it.
// Everything it does is a line in a journal, written before the next thing happens.
import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundEvents,
  BackgroundModule,
  constant,
  defineTask,
  getTaskQueueToken,
  TaskHandler,
  type DurableTaskQueue,
  type EnqueueOptions,
  type TaskContext,
  type TaskQueueOptions,
} from 'nestjs-nightshift';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';

interface BakeryOptions {
  readonly file: string;
  readonly journal: string;
  readonly seed: number;
  readonly thread: boolean;
  /** Takes no orders, and ends when there is nothing left to do. */
  readonly isLast: boolean;
}

interface Order {
  /** How long it takes. */
  readonly ms: number;
  readonly key?: string;
}

const { file, journal, seed, thread, isLast } = JSON.parse(process.argv[2]!) as BakeryOptions;
const pages = openSync(journal, 'a');
const { pid } = process;

function note(...words: readonly (string | number)[]): void {
  writeSync(pages, `${words.join(' ')}\n`);
}

/** Of a number between 0 and 1, the same ones for the same seed. */
function randomNumbers(state: number): () => number {
  let last = state;
  return () => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return last / 2 ** 32;
  };
}

const random = randomNumbers(seed);
const below = (end: number): number => Math.floor(random() * end);

const wrap = defineTask<Order>('wrap');
const engrave = defineTask<Order>('engrave', { priority: -5 });
const cool = defineTask<Order>('cool');
const invoice = defineTask<Order>('invoice');
/** Fails twice before it succeeds. */
const bake = defineTask<Order>('bake', { retry: { maxAttempts: 3, backoff: constant(10) } });
/** One of a customer at a time. */
const charge = defineTask<Order>('charge', { queue: 'tills' });
/** Not too many at once for the post office. */
const post = defineTask<Order>('post', { queue: 'post' });

abstract class Clerk {
  protected readonly failures: number = 0;

  async handle({ ms, key = '-' }: Order, { id, name, attempt }: TaskContext): Promise<void> {
    note('start', id, attempt, pid, key, name);
    if (ms > 0) await sleep(ms);
    const isFailure = attempt <= this.failures;
    note(isFailure ? 'fail' : 'end', id, attempt, pid);
    if (isFailure) throw new Error('burnt');
  }
}

@Injectable()
@TaskHandler(wrap)
class Wrapper extends Clerk {}

@Injectable()
@TaskHandler(engrave)
class Engraver extends Clerk {}

@Injectable()
@TaskHandler(cool)
class Cooler extends Clerk {}

@Injectable()
@TaskHandler(invoice)
class Bookkeeper extends Clerk {}

@Injectable()
@TaskHandler(bake)
class Baker extends Clerk {
  protected override readonly failures = 2;
}

@Injectable()
@TaskHandler(charge)
class Cashier extends Clerk {}

@Injectable()
@TaskHandler(post)
class Postman extends Clerk {}

const everything = { count: 10_000_000, age: 'infinite' } as const;
const retention: TaskQueueOptions['retention'] = { completed: everything };

@Module({
  imports: [
    BackgroundModule.forRoot({
      engine: sqliteEngine({ file, thread, lease: '1s', pollInterval: 20, maxInterruptions: 1_000 }),
      queue: { concurrency: 4, retention },
    }),
    BackgroundModule.registerQueue(
      { name: 'tills', concurrency: 4, retention },
      { name: 'post', concurrency: 2, rateLimit: { max: 20, per: '200ms' }, retention },
    ),
  ],
  providers: [Wrapper, Engraver, Cooler, Bookkeeper, Baker, Cashier, Postman],
})
class Bakery {}

console.log('ready');
await once(process.stdin, 'data');
process.stdin.destroy();

const app = await NestFactory.createApplicationContext(Bakery, { logger: false });
app
  .get(BackgroundEvents)
  .on('engine.failed', ({ during, error }) => note('trouble', pid, `${during}: ${String(error)}`));
console.log('open');
const queueOf = (name: string): DurableTaskQueue => app.get<DurableTaskQueue>(getTaskQueueToken(name));
const [counter, tills, office] = [queueOf('default'), queueOf('tills'), queueOf('post')];

async function order(
  queue: DurableTaskQueue,
  task: typeof wrap,
  payload: Order,
  options?: EnqueueOptions,
): Promise<void> {
  const handle = await queue.enqueue(task, payload, options);
  note('ack', handle.id, pid);
  handle.result().then(
    () => note('done', handle.id, pid),
    (error: unknown) => note('trouble', pid, String(error)),
  );
}

async function serveCustomers(): Promise<void> {
  const customer = `customer-${below(5)}`;
  const number = `invoice-${below(1_000)}`;
  await Promise.all([
    order(counter, wrap, { ms: 0 }),
    order(counter, wrap, { ms: below(8) }),
    order(counter, engrave, { ms: below(3) }),
    order(counter, cool, { ms: 0 }, { delay: 20 + below(200) }),
    order(counter, invoice, { ms: 0 }, { deduplicationKey: { key: number, window: '1h' } }),
    order(tills, charge, { ms: below(4), key: customer }, { concurrencyKey: customer }),
    order(tills, charge, { ms: 0, key: customer }, { concurrencyKey: customer }),
  ]);
  await Promise.all([order(counter, bake, { ms: below(3) }), order(office, post, { ms: 0 })]);
}

async function untilIdle(queue: DurableTaskQueue): Promise<void> {
  do {
    await queue.whenIdle();
    await sleep(10); // what is scheduled does not count as work
  } while (queue.scheduled > 0);
}

if (isLast) {
  await Promise.all([counter, tills, office].map(untilIdle));
  await app.close();
} else {
  for (;;) {
    if (counter.size + tills.size + office.size < 200) await serveCustomers();
    await sleep(below(20));
  }
}
