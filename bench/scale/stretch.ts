import { setTimeout as sleep } from 'node:timers/promises';
import { cpus } from 'node:os';
import { quantile } from '../statistics.js';
import type { Crew } from './crew.js';
import type { SharedStore } from './shared-store.js';
import { tallyBetween, type Tally } from './tally.js';

/** What was seen in a stretch of time, of the workers and of the server. */
export interface Stretch {
  readonly seconds: number;
  /** That have begun. */
  readonly tasks: number;
  readonly tally: Tally;
  /** From enqueue to begin, in milliseconds. */
  readonly wait: { readonly median: number; readonly p99: number } | undefined;
  readonly serverCpuMs: number | undefined;
  /** Of all workers together, without the one that enqueues. */
  readonly workersCpuMs: number;
  /** By how much the event loops of the workers were late at the 99th percentile: of the processes, the median. */
  readonly workersLateMs: number;
  /** How much of the machine's processors was in use, by whomever, as a share of 1. */
  readonly machineBusy: number;
  readonly serverCommands: number | undefined;
  readonly connections: number | undefined;
  readonly deadlocks: number | undefined;
  /** How many connections waited for a lock, on average. */
  readonly waitingForLocks: number | undefined;
}

const lookEveryMs = 100;

/** Looks on for as long as `during` takes. */
export async function measureStretch(
  store: SharedStore,
  crew: Crew,
  during: () => Promise<unknown>,
): Promise<Stretch> {
  const [before, first] = await Promise.all([crew.report(), store.read()]);
  const begunAt = performance.now();
  const machine = readMachine();
  const over = new AbortController();
  const waiting = countWaiting(store, over.signal);
  await during();
  const [after, last] = await Promise.all([crew.report(), store.read()]);
  const seconds = (performance.now() - begunAt) / 1_000;
  over.abort();
  const { waitsMs } = after;
  return {
    seconds,
    tasks: after.begun - before.begun,
    tally: tallyBetween(before.tally, after.tally),
    wait: waitsMs.length === 0 ? undefined : { median: quantile(waitsMs, 0.5), p99: quantile(waitsMs, 0.99) },
    serverCpuMs: difference(first.cpuMs, last.cpuMs),
    workersCpuMs: after.cpuMs - before.cpuMs,
    workersLateMs: after.lateMs,
    machineBusy: busyShare(machine, readMachine()),
    serverCommands: difference(first.commands, last.commands),
    connections: last.connections,
    deadlocks: difference(first.deadlocks, last.deadlocks),
    waitingForLocks: mean(await waiting),
  };
}

async function countWaiting(store: SharedStore, over: AbortSignal): Promise<readonly number[]> {
  const counts: number[] = [];
  if (store.countWaiting === undefined) return counts;
  for (; !over.aborted; await sleep(lookEveryMs)) counts.push(await store.countWaiting());
  return counts;
}

interface MachineTimes {
  readonly idleMs: number;
  readonly allMs: number;
}

function readMachine(): MachineTimes {
  const times = cpus().map((each) => each.times);
  const idleMs = times.reduce((sum, { idle }) => sum + idle, 0);
  const allMs = times.reduce(
    (sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq,
    0,
  );
  return { idleMs, allMs };
}

function busyShare(before: MachineTimes, after: MachineTimes): number {
  return 1 - (after.idleMs - before.idleMs) / Math.max(1, after.allMs - before.allMs);
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}

function mean(figures: readonly number[]): number | undefined {
  return figures.length === 0 ? undefined : figures.reduce((sum, each) => sum + each, 0) / figures.length;
}
