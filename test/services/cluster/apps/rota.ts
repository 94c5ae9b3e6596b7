// One process of a cluster whose ticks are exclusive: each occurrence is for one of them. What it does is a line in a journal.
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BackgroundModule, BackgroundService, runUntilStopped, type TickContext } from 'nestjs-nightshift';
import { Diary } from './diary.js';
import { open, type SharedEngine } from './shared-engine.js';

interface RotaOptions {
  readonly engine: SharedEngine;
  readonly journal: string;
  readonly everyMs: number;
  readonly lastsMs: number;
}

const { engine, journal, everyMs, lastsMs } = JSON.parse(process.argv[2]!) as RotaOptions;
const diary = new Diary(journal);
const { pid } = process;

@BackgroundService({ every: everyMs, exclusive: true })
class Bells implements BackgroundService {
  async execute(_stopping: AbortSignal, tick?: TickContext): Promise<void> {
    const { scheduledAt } = tick!;
    const dueAtMs = scheduledAt.getTime();
    diary.note('begin', dueAtMs, pid, Date.now());
    console.log(`tick ${dueAtMs}`);
    await sleep(lastsMs);
    diary.note('end', dueAtMs, pid);
  }
}

@Module({ imports: [BackgroundModule.forRoot({ engine: open(engine) })], providers: [Bells] })
class Rota {}

const app = await NestFactory.createApplicationContext(Rota, { logger: ['error'] });
const run = runUntilStopped(app);
console.log('working'); // only now: whoever reads it may send a signal at once
await run;
