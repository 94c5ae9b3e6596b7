import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent } from '../events/events.js';
import type { ServiceRunner, TickControl, TickRecord } from './service-runner.js';
import { Supervisor } from './supervisor.js';

const now = new Date('2026-01-01');
const record: TickRecord = {
  id: '1',
  scheduledAt: now,
  startedAt: now,
  endedAt: now,
  outcome: 'failed',
  error: new Error('tick'),
};

function setup({ ticked = true, isOpen = true } = {}) {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const calls: unknown[] = [];
  const types: string[] = [];
  const seen: BackgroundEvent[] = [];
  events.stream.subscribe((event) => {
    seen.push(event);
    types.push(event.type);
  });
  const ticks: TickControl = {
    lastTick: record,
    schedule: 'every 1m',
    exclusive: false,
    lastError: record.error,
    nextTickAt: now,
    running: 0,
    trigger: async () => record,
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    reschedule: (schedule) => void calls.push(schedule),
  };
  const runner: ServiceRunner = {
    kind: 'ticked',
    start: () => {},
    stop: () => {},
    ...(ticked ? { ticks } : {}),
  };
  const host = {
    events,
    clock,
    shutdownTimeoutMs: 1_000,
    stopping: new AbortController().signal,
    isOpen: true,
    onFault: () => {},
  };
  const definition = { name: 'a', runner, exceptionBehavior: 'stopHost' as const, enabled: true };
  const supervisor = new Supervisor(definition, host);
  const started = async () => {
    await supervisor.start();
    host.isOpen = isOpen;
    types.length = 0;
  };
  return { supervisor, calls, types, seen, started };
}

describe('A service that ticks', () => {
  it('is paused and resumed, each once', async () => {
    const { supervisor, calls, types, started } = setup();
    await started();
    supervisor.pause();
    supervisor.pause();
    expect(supervisor.state).toBe('paused');
    supervisor.resume();
    supervisor.resume();
    expect(supervisor.state).toBe('running');
    expect(calls).toEqual(['pause', 'resume']);
    expect(types).toEqual(['service.paused', 'service.resumed']);
  });

  it('says whom, in each event of its steering, and when it is next due once rescheduled', async () => {
    const { supervisor, seen, started } = setup();
    await started();
    supervisor.pause();
    supervisor.resume();
    supervisor.reschedule({ every: '1s' });
    for (const event of seen.slice(-3)) expect(event).toMatchObject({ service: 'a', kind: 'ticked' });
    expect(seen.at(-1)).toMatchObject({ type: 'service.rescheduled', nextTickAt: now });
  });

  it('is running, for a start and a stop through its handle, also while it is paused', async () => {
    const { supervisor, types, started } = setup();
    await started();
    supervisor.pause();
    await supervisor.start();
    expect(supervisor.state).toBe('paused');
    await supervisor.stop();
    expect(supervisor.state).toBe('stopped');
    expect(types).toEqual(['service.paused', 'service.stopping', 'service.stopped']);
  });

  it('cannot be paused or resumed when it is not running', () => {
    const { supervisor, calls } = setup();
    expect(() => supervisor.pause()).toThrow(/Becoming paused is not possible while service 'a' is idle/);
    expect(() => supervisor.resume()).toThrow(expect.objectContaining({ code: 'ILLEGAL_STATE' }));
    expect(calls).toEqual([]);
  });

  it('is rescheduled in any state', () => {
    const { supervisor, calls, types } = setup();
    supervisor.reschedule({ every: '1s' });
    expect(calls).toEqual([{ every: '1s' }]);
    expect(types).toEqual(['service.rescheduled']);
  });

  it('is triggered when it is running or paused', async () => {
    const { supervisor, started } = setup();
    await started();
    expect(await supervisor.trigger()).toBe(record);
    supervisor.pause();
    expect(await supervisor.trigger()).toBe(record);
  });

  it('is not triggered when it is not running, or the host is not open', async () => {
    await expect(setup().supervisor.trigger()).rejects.toMatchObject({
      code: 'ILLEGAL_STATE',
      message: "trigger() is not possible while service 'a' is idle.",
    });
    const { supervisor, started } = setup({ isOpen: false });
    await started();
    await expect(supervisor.trigger()).rejects.toMatchObject({
      code: 'ILLEGAL_STATE',
      message: 'trigger() is not possible while the host is not running.',
    });
  });

  it('shows what its ticks show', () => {
    expect(setup().supervisor).toMatchObject({
      lastTick: record,
      lastError: record.error,
      nextTickAt: now,
      schedule: 'every 1m',
      exclusive: false,
    });
  });
});

describe('A service that does not tick', () => {
  it.each(['pause', 'resume', 'reschedule'] as const)('%s throws NotTickedError', (operation) => {
    const { supervisor } = setup({ ticked: false });
    expect(() => supervisor[operation]({})).toThrow(
      expect.objectContaining({
        code: 'NOT_TICKED',
        message: `${operation}() needs a service that ticks, but 'a' is without \`every\` and \`cron\`.`,
      }),
    );
  });

  it('trigger rejects with NotTickedError', async () => {
    const { supervisor } = setup({ ticked: false });
    await expect(supervisor.trigger()).rejects.toMatchObject({
      code: 'NOT_TICKED',
      message: expect.stringMatching(/^trigger\(\) needs a service that ticks, but 'a' is/),
    });
  });

  it('shows nothing of ticks', () => {
    const { lastTick, nextTickAt, lastError, schedule } = setup({ ticked: false }).supervisor;
    expect([lastTick, nextTickAt, lastError, schedule]).toEqual(Array.from({ length: 4 }));
  });
});
