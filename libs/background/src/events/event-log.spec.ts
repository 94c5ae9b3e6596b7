import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from './background-events.js';
import { logEvents, type LogTarget } from './event-log.js';
import type { BackgroundEventType, EventDetails } from './events.js';

function setup() {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const lines: string[] = [];
  const stacks: (string | undefined)[] = [];
  const target: LogTarget = {
    log: (message) => lines.push(`log ${message}`),
    warn: (message) => lines.push(`warn ${message}`),
    debug: (message) => lines.push(`debug ${message}`),
    error: (message, stack) => {
      lines.push(`error ${message}`);
      stacks.push(stack);
    },
  };
  const end = logEvents(events, target);
  return { clock, events, lines, stacks, end };
}

/** The lines that one event makes. */
function linesOf<T extends BackgroundEventType>(type: T, details: EventDetails[T]): string[] {
  const { events, lines } = setup();
  events.emit(type, details);
  return lines;
}

const error = new Error('boom');
const service = { service: 's', kind: 'longRunning' } as const;
const queueWorker = { service: 'q', kind: 'queue' } as const;
const tick = { service: 's', tickId: 't1', scheduledAt: new Date('2026-01-01T03:00:00Z') };
const task = { queue: 'q', taskId: '1', name: 'resize' };
const labels = (amount: number) =>
  Array.from({ length: amount }, (_, index) => ({ taskId: `${index + 1}`, name: 'resize' }));

/** What is emitted, and the line that it makes. */
type Case = { [T in BackgroundEventType]: [T, EventDetails[T], string] }[BackgroundEventType];

const worded: Case[] = [
  ['host.started', { services: [], durationMs: 3 }, 'log Started 0 services in 3 ms: none'],
  ['host.started', { services: ['a'], durationMs: 3 }, 'log Started 1 service in 3 ms: a'],
  ['host.started', { services: ['a', 'b'], durationMs: 1_234 }, 'log Started 2 services in 1.2 s: a, b'],
  ['host.startFailed', { error }, 'error Start failed: boom'],
  ['host.stopping', { reason: undefined }, 'log Stopping: no new ticks'],
  ['host.stopping', { reason: 'SIGTERM' }, 'log Stopping because: SIGTERM. No new ticks'],
  ['host.stopping', { reason: error }, 'log Stopping because: boom. No new ticks'],
  [
    'host.deadlinePassed',
    { timeoutMs: 30_000 },
    'warn The time to stop (shutdownTimeout, 30.0 s) is up: what still runs is aborted and left behind',
  ],
  ['host.stopped', { durationMs: 12, errors: [error] }, 'log Stopped in 12 ms'],
  ['host.warning', { code: 'X', message: 'mind the gap' }, 'warn mind the gap'],
  ['service.completed', service, "log Service 's' completed"],
  [
    'service.faulted',
    { ...service, error, consequence: 'stopHost' },
    "error Service 's' faulted, and the application is being stopped: boom",
  ],
  [
    'service.faulted',
    { ...service, error: 'text', consequence: 'none' },
    "error Service 's' faulted, and the others go on: text",
  ],
  [
    'service.restarting',
    { ...service, error, restarts: 2, delayMs: 2_000 },
    "warn Service 's' faulted; restart 2 in 2.0 s: boom",
  ],
  ['service.gaveUp', { ...service, error, restarts: 1 }, "error Service 's' is given up after 1 restart"],
  ['service.gaveUp', { ...service, error, restarts: 5 }, "error Service 's' is given up after 5 restarts"],
  ['service.stopped', { ...service, durationMs: 100 }, "log Waited 100 ms for service 's' to stop"],
  ['service.stopFailed', { ...service, error }, "error Service 's' failed to stop: boom"],
  [
    'service.abandoned',
    { ...service, running: ['tick 1', 'stop()'] },
    "error Service 's' did not stop in time and is left behind. Still running: tick 1, stop()",
  ],
  ['service.paused', service, "log Service 's' paused"],
  ['service.resumed', service, "log Service 's' resumed"],
  [
    'service.rescheduled',
    { ...service, nextTickAt: new Date('2026-01-01') },
    "log Service 's' rescheduled; next tick 2026-01-01T00:00:00.000Z",
  ],
  [
    'service.rescheduled',
    { ...service, nextTickAt: undefined },
    "log Service 's' rescheduled; next tick when resumed",
  ],
  ['tick.failed', { ...tick, durationMs: 1, error }, "error A tick of 's' failed: boom"],
  [
    'tick.timedOut',
    { ...tick, timeoutMs: 5_000 },
    "warn A tick of 's' exceeded its timeout of 5.0 s and was told to stop",
  ],
  [
    'tick.skipped',
    { ...tick, because: 'overlap' },
    "debug The tick of 's' due at 2026-01-01T03:00:00.000Z was skipped: the one before is still running",
  ],
  [
    'tick.skipped',
    { ...tick, because: 'misfire' },
    "debug The tick of 's' due at 2026-01-01T03:00:00.000Z was skipped: it came too late",
  ],
  [
    'tick.skipped',
    { ...tick, because: 'exclusive' },
    "debug The tick of 's' due at 2026-01-01T03:00:00.000Z was skipped: another process has it",
  ],
  [
    'tick.skipped',
    { ...tick, because: 'storage' },
    "debug The tick of 's' due at 2026-01-01T03:00:00.000Z was skipped: it could not be claimed",
  ],
  ['tick.released', tick, "debug The tick of 's' due at 2026-01-01T03:00:00.000Z is left to another process"],
  [
    'occurrence.storageFailed',
    { ...tick, operation: 'claim', error, retryInMs: 2_000 },
    "warn The storage of occurrences failed ('claim' of the tick due at 2026-01-01T03:00:00.000Z for service 's'), again in 2.0 s: boom",
  ],
  [
    'occurrence.storageFailed',
    { service: 's', operation: 'latest', scheduledAt: undefined, error, retryInMs: undefined },
    "warn The storage of occurrences failed ('latest' for service 's'), not tried again: boom",
  ],
  ['queue.paused', { queue: 'q' }, "log Queue 'q' paused"],
  ['queue.resumed', { queue: 'q' }, "log Queue 'q' resumed"],
  [
    'queue.draining',
    { queue: 'q', waiting: 2, active: 1, scheduled: 0, durable: false },
    "log Queue 'q' drains: 2 waiting, 1 running",
  ],
  [
    'queue.draining',
    { queue: 'q', waiting: 0, active: 0, scheduled: 3, durable: false },
    "log Queue 'q' drains: 0 waiting, 0 running, 3 scheduled",
  ],
  [
    'queue.draining',
    { queue: 'q', waiting: 2, active: 1, scheduled: 3, durable: true },
    "log Queue 'q' stops: 1 running, and 2 waiting, 3 scheduled are kept",
  ],
  [
    'queue.drained',
    { queue: 'q', completed: 1, durationMs: 2_000 },
    "log Queue 'q' drained: waited 2.0 s for 1 task",
  ],
  [
    'queue.abandoned',
    { queue: 'q', waiting: labels(1), retrying: [], running: [] },
    "error Queue 'q' closed with work left. Never began: 1: resize (1). Aborted: none",
  ],
  [
    'queue.abandoned',
    { queue: 'q', waiting: [], retrying: labels(1), running: [] },
    "error Queue 'q' closed with work left. Never began: none. Not retried: 1: resize (1). Aborted: none",
  ],
  [
    'task.failed',
    { ...task, attempt: 1, durationMs: 1, error },
    "error Task 'resize' (1) of queue 'q' failed: boom",
  ],
  [
    'task.failed',
    { ...task, attempt: 3, durationMs: 1, error },
    "error Task 'resize' (1) of queue 'q' failed after 3 attempts: boom",
  ],
  [
    'task.retrying',
    { ...task, attempt: 1, maxAttempts: 3, delayMs: 2_000, error },
    "warn Task 'resize' (1) of queue 'q' failed in attempt 1 of 3, again in 2.0 s: boom",
  ],
  [
    'task.retrying',
    { ...task, attempt: 1, maxAttempts: 3, delayMs: 2_000, error: undefined },
    "debug Task 'resize' (1) of queue 'q' put itself off: again in 2.0 s",
  ],
  [
    'task.discarded',
    { ...task, reason: 'too late' },
    "warn Task 'resize' (1) of queue 'q' was discarded by its work: too late",
  ],
  [
    'task.discarded',
    { ...task, reason: undefined },
    "warn Task 'resize' (1) of queue 'q' was discarded by its work",
  ],
  [
    'task.expired',
    { ...task, expiresInMs: 5_000 },
    "warn Task 'resize' (1) of queue 'q' had not begun within 5.0 s and has expired",
  ],
  [
    'task.timedOut',
    { ...task, attempt: 1, isLast: true, timeoutMs: 500 },
    "warn Task 'resize' (1) of queue 'q' exceeded its timeout of 500 ms",
  ],
  [
    'task.overran',
    { ...task, graceMs: 500 },
    "warn Task 'resize' (1) of queue 'q' ignores its aborted signal: its place goes to the next task",
  ],
  [
    'task.dropped',
    { ...task, fullMode: 'dropOldest' },
    "warn Queue 'q' is full and dropped 1 task (fullMode 'dropOldest')",
  ],
  ['scope.disposeFailed', { owner: 'x', error }, 'error The scope of x failed to dispose: boom'],
  ['listener.failed', { during: 'tick.failed', error }, "error A listener of 'tick.failed' threw: boom"],
];

const silent: Case[] = [
  ['host.starting', { services: 1 }, ''],
  ['service.started', service, ''],
  ['service.stopping', service, ''],
  ['service.stopped', { ...service, durationMs: 99 }, ''],
  ['service.stopped', { ...queueWorker, durationMs: 5_000 }, ''],
  ['service.abandoned', { ...queueWorker, running: ['x'] }, ''],
  ['tick.started', tick, ''],
  ['tick.completed', { ...tick, durationMs: 1 }, ''],
  ['queue.draining', { queue: 'q', waiting: 0, active: 0, scheduled: 0, durable: false }, ''],
  ['queue.drained', { queue: 'q', completed: 0, durationMs: 0 }, ''],
  ['task.enqueued', task, ''],
  ['task.replaced', { ...task, key: 'k' }, ''],
  ['task.retried', task, ''],
  ['task.scheduled', { ...task, runAt: new Date(0) }, ''],
  ['task.deduplicated', { ...task, key: 'k' }, ''],
  ['task.started', task, ''],
  ['task.completed', { ...task, durationMs: 1 }, ''],
];

describe('logEvents', () => {
  it.each(worded as [BackgroundEventType, unknown, string][])('words %s %#', (type, details, line) => {
    expect(linesOf(type, details as never)).toEqual([line]);
  });

  it.each(silent as [BackgroundEventType, unknown, string][])('says nothing of %s %#', (type, details) => {
    expect(linesOf(type, details as never)).toEqual([]);
  });

  it('names ten tasks at most, and counts the rest', () => {
    const [waiting, running] = [labels(12), labels(10)];
    const [line] = linesOf('queue.abandoned', { queue: 'q', waiting, retrying: [], running });
    expect(line).toContain('Never began: 12: resize (1), ');
    expect(line).toContain('resize (10) and 2 more. Aborted: 10: ');
    expect(line).toMatch(/resize \(10\)$/);
  });

  it('hands over the stack of an error, with what it holds and what caused it', () => {
    const { events, lines, stacks } = setup();
    const caused = new Error('outer', { cause: new Error('the cause') });
    events.emit('host.startFailed', { error });
    events.emit('host.startFailed', { error: caused });
    events.emit('host.startFailed', { error: new AggregateError([error, caused], 'two failed.') });
    events.emit('host.startFailed', { error: new AggregateError([], 'none') });
    events.emit('host.startFailed', { error: 'no error at all' });
    expect(lines.slice(2)).toEqual([
      'error Start failed: two failed. (boom; outer)',
      'error Start failed: none',
      'error Start failed: no error at all',
    ]);
    expect(stacks[0]).toBe(error.stack);
    expect(stacks[1]).toContain('the cause');
    expect(stacks[2]).toContain('the cause');
    expect(stacks[4]).toBeUndefined();
  });

  it('logs nothing more when ended', () => {
    const { events, lines, end } = setup();
    end();
    events.emit('host.stopped', { durationMs: 1, errors: [] });
    expect(lines).toEqual([]);
    expect(events.wants('host.stopped')).toBe(false);
  });
});

describe('logEvents when a queue drops tasks', () => {
  it('writes one line for the first, then one in ten seconds with their number, for each queue apart', async () => {
    const { clock, events, lines } = setup();
    const drop = (queue: string) => events.emit('task.dropped', { ...task, queue, fullMode: 'dropWrite' });
    for (let dropped = 0; dropped < 5; dropped += 1) drop('a');
    drop('b');
    await clock.advance(9_999);
    drop('a');
    expect(lines).toHaveLength(2);
    await clock.advance(1);
    drop('a');
    expect(lines).toEqual([
      "warn Queue 'a' is full and dropped 1 task (fullMode 'dropWrite')",
      "warn Queue 'b' is full and dropped 1 task (fullMode 'dropWrite')",
      "warn Queue 'a' is full and dropped 6 tasks (fullMode 'dropWrite')",
    ]);
  });

  it('writes what has had no line yet when the host has stopped', () => {
    const { events, lines } = setup();
    for (let dropped = 0; dropped < 5; dropped += 1) {
      events.emit('task.dropped', { ...task, fullMode: 'dropWrite' });
    }
    events.emit('task.dropped', { ...task, queue: 'other', fullMode: 'dropWrite' });
    events.emit('host.stopped', { durationMs: 1, errors: [] });
    expect(lines.slice(2)).toEqual([
      "warn Queue 'q' is full and dropped 4 tasks (fullMode 'dropWrite')",
      'log Stopped in 1 ms',
    ]);
  });
});
