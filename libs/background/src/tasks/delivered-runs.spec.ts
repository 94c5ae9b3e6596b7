import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import type { TaskContext } from '../scopes/context.js';
import { gate } from '../gate.fixture.js';
import { DeliveredRuns } from './delivered-runs.js';
import { resolveQueueOptions } from './queue.options.js';
import { heedful } from './queue.fixture.js';
import { definedTask, defineTask } from './task-definition.js';
import { TaskHandlers } from './task-handlers.js';
import type { ClaimedTask } from './task-storage.js';

function setup(handle: (payload: unknown, context: TaskContext) => unknown, maxAttempts = 1) {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const handlers = new TaskHandlers();
  handlers.add({ definition: definedTask(defineTask('cook'))!, label: 'Cook', handle });
  const options = resolveQueueOptions({ name: 'kitchen', timeout: '1m', retry: { maxAttempts } }, 'queue');
  const runs = new DeliveredRuns(options, { clock, events, scopes: new NoScopes(), handlers });
  const claimed: ClaimedTask = {
    id: '7',
    claim: 3,
    attempt: 1,
    maxAttempts,
    name: 'cook',
    definition: 'cook',
    payload: '"fudge"',
    priority: 0,
    enqueuedAtMs: clock.now(),
    expiresAtMs: undefined,
    concurrencyKey: undefined,
    options: undefined,
    tags: [],
    metadata: undefined,
    keyUntilMs: undefined,
  };
  return { clock, runs, claimed };
}

describe('DeliveredRuns', () => {
  it('tells what became of an attempt', async () => {
    const { runs, claimed } = setup((payload) => `cooked ${String(payload)}`);
    expect(await runs.run(claimed)).toMatchObject({
      settlement: { id: '7', claim: 3, state: 'completed', result: '"cooked fudge"' },
      outcome: { result: '"cooked fudge"' },
    });
    expect(runs).toMatchObject({ active: 0, finished: 1 });
  });

  it('says when the next attempt is due', async () => {
    const { runs, claimed } = setup(() => {
      throw new Error('burnt');
    }, 2);
    expect(await runs.run(claimed)).toMatchObject({
      settlement: {
        state: 'retrying',
        nextAttempt: 2,
        attempt: { outcome: 'failed', error: { message: 'burnt' } },
      },
      outcome: undefined,
    });
  });

  it('cancels what runs', async () => {
    const begun = gate();
    const { runs, claimed } = setup((_, context) => {
      begun.open();
      return heedful(context);
    });
    const ended = runs.run(claimed);
    await begun.opened;
    expect(await runs.cancel('7', 'too late')).toBe(true);
    expect(await ended).toMatchObject({
      settlement: { state: 'cancelled', error: { code: 'TASK_CANCELLED' } },
    });
    expect(await runs.cancel('7', 'too late')).toBe(false);
  });

  it.each([
    ['heeds its signal', heedful],
    ['is given up', () => new Promise(() => {})],
  ])('gives back what the end of the application interrupts, when it %s', async (_, work) => {
    const { runs, claimed } = setup((__, context) => work(context));
    const ended = runs.run(claimed);
    await Promise.resolve();
    expect(runs.abortAll()).toEqual([{ taskId: '7', name: 'cook' }]);
    if (work !== heedful) runs.giveUpAll();
    expect(await ended).toMatchObject({
      settlement: { state: 'waiting', attempt: { outcome: 'interrupted' } },
    });
    await runs.whenQuiet();
  });

  it('runs what somebody has taken when they say so, and lets them wait until it is stored', async () => {
    const { runs, claimed } = setup((payload) => payload);
    const { task, ended, settled } = runs.take(claimed);
    expect(task).toMatchObject({ id: '7', name: 'cook', queue: 'kitchen' });
    expect(runs).toMatchObject({ active: 0, finished: 0 });
    const run = task.run();
    expect(await ended).toMatchObject({ settlement: { state: 'completed', result: '"fudge"' } });
    settled();
    await run;
    await runs.whenQuiet();
  });

  it('gives back what somebody has taken and not begun, as no attempt', async () => {
    const { runs, claimed } = setup(() => expect.unreachable());
    const { task, ended, settled } = runs.take(claimed);
    expect(runs.abortAll()).toEqual([]);
    expect(await ended).toMatchObject({ settlement: { state: 'waiting', attempt: undefined } });
    settled();
    await task.run();
    await runs.whenQuiet();
  });

  it('cancels what somebody has taken and not begun', async () => {
    const { runs, claimed } = setup(() => expect.unreachable());
    const { task, ended, settled } = runs.take(claimed);
    expect(await runs.cancel('7', 'too late')).toBe(true);
    expect(await ended).toMatchObject({ settlement: { state: 'cancelled' } });
    settled();
    await task.run();
    await runs.whenQuiet();
  });
});
