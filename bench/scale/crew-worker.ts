import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundModule,
  defineTask,
  TaskHandler,
  TaskQueue,
  type DurableTaskQueue,
} from 'nestjs-nightshift';
import type { StoreAddress } from './crew-messages.js';
import { concurrency, handlerMs } from './situation.js';
import { engineAt } from './store-engine.js';
import type { Tally } from './tally.js';

interface Question {
  /** By the clock that all processes of a machine share. */
  readonly askedAtMs: number;
}

const ask = defineTask<Question, void>('ask');

/** Milliseconds of a clock that all processes of a machine share, and nobody sets. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What the handlers of one process have seen. */
export class Journal {
  begun = 0;
  waitsMs: number[] = [];

  note({ askedAtMs }: Question): void {
    this.begun += 1;
    this.waitsMs.push(nowMs() - askedAtMs);
  }
}

@Injectable()
@TaskHandler(ask)
class Asker implements TaskHandler<typeof ask> {
  constructor(private readonly journal: Journal) {}

  async handle(question: Question): Promise<void> {
    this.journal.note(question);
    await sleep(handlerMs);
  }
}

export interface CrewWorker {
  enqueue(): Promise<unknown>;
  enqueueMany(amount: number): Promise<unknown>;
  /** Nobody begins a task until this has been done. */
  whilePaused(work: (worker: CrewWorker) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** An application of its own, with an engine and connections of its own. @param runs whether it works, or only enqueues */
export async function openWorker(
  address: StoreAddress,
  { journal, tally, runs }: { journal: Journal; tally: Tally; runs: boolean },
): Promise<CrewWorker> {
  const { engine, end } = await engineAt(address, tally);
  const provider = { provide: Journal, useValue: journal };
  @Module({ providers: [Asker, provider] })
  class AppModule {}
  const imports = [BackgroundModule.forRoot({ engine, enabled: runs, queue: { concurrency } })];
  const app = await NestFactory.createApplicationContext({ module: AppModule, imports }, { logger: false });
  const queue = app.get(TaskQueue) as DurableTaskQueue;
  const worker: CrewWorker = {
    enqueue: () => queue.enqueue(ask, { askedAtMs: nowMs() }),
    enqueueMany: (amount) =>
      queue.enqueueMany(
        ask,
        Array.from({ length: amount }, () => ({ askedAtMs: nowMs() })),
      ),
    async whilePaused(work) {
      await queue.pause();
      await work(worker);
      await queue.resume();
    },
    async close() {
      await app.close();
      await end();
    },
  };
  return worker;
}
