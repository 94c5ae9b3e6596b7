import { describe, expect, it } from 'vitest';
import { DuplicateTaskError, TaskDiscardedError } from '../errors.js';
import { errorOf } from '../error-of.fixture.js';
import type { DeduplicationOptions } from './enqueue.options.js';
import { setup as setupHeld } from './held-work.fixture.js';
import { definedTask, defineTask } from './task-definition.js';
import type { TaskQueueOptions } from './queue.options.js';

/** Options with the key of a digest. */
function digest(more: Omit<DeduplicationOptions, 'key'> = {}) {
  return { deduplicationKey: { key: 'digest', ...more } };
}

const replacing = digest({ onConflict: 'replace' });

/** Options with a key of its own, for a second. */
function of(key: string) {
  return { deduplicationKey: { key, window: '1s' } };
}

function isAccepted(enqueued: Promise<unknown>) {
  const is = { accepted: false };
  enqueued.then(
    () => (is.accepted = true),
    () => {},
  );
  return is;
}

/** A queue that runs one task, `busy`, until it is told to end. */
async function setup(options: TaskQueueOptions = {}) {
  const bundle = setupHeld(options);
  bundle.open();
  await bundle.queue.enqueue(bundle.held('busy'));
  const { seen, queue } = bundle;
  const typesOf = (taskId: string) =>
    seen.filter((event) => 'taskId' in event && event.taskId === taskId).map(({ type }) => type);
  return { ...bundle, queue, typesOf };
}

describe('a deduplicationKey with a window', () => {
  it('gives the handle of the first until the window is over, though it has ended', async () => {
    const { queue, clock, finish } = await setup();
    const first = await queue.enqueue(() => 'first', digest({ window: '1m' }));
    await finish('busy');
    expect(await first.result()).toBe('first');
    await clock.advance('59999ms');
    expect(await queue.enqueue(() => 'second', digest())).toBe(first);
    await clock.advance(1);
    expect(await (await queue.enqueue(() => 'third', digest())).result()).toBe('third');
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes on as long as the first has not ended', async () => {
    const { queue, clock } = await setup();
    const first = await queue.enqueue(() => {}, digest({ window: '1s' }));
    await clock.advance('1h');
    expect(queue.tryEnqueue(() => {}, digest())).toBe(first);
  });

  it('does not begin when the task never came in', async () => {
    const { queue, clock } = await setup({ capacity: 0 });
    const leaving = new AbortController();
    const refused = queue.enqueue(() => {}, { ...digest({ window: '1h' }), signal: leaving.signal });
    refused.catch(() => {});
    leaving.abort();
    await clock.advance(0);
    const second = queue.enqueue(() => {}, digest());
    expect(await errorOf(refused)).toBe(leaving.signal.reason);
    expect(second).toBeInstanceOf(Promise);
    expect(queue.tryEnqueue(() => {}, digest())).toBeUndefined(); // the second one waits for room
  });

  it('forgets keys whose window is over when others come', async () => {
    const { queue, clock, finish } = await setup();
    await finish('busy');
    const first = await queue.enqueue(() => {}, of('a'));
    await clock.advance('2s');
    await queue.enqueue(() => {}, of('b'));
    expect(await queue.enqueue(() => {}, of('a'))).not.toBe(first);
  });
});

describe('onConflict: reject', () => {
  it('refuses the second, and says which one is there', async () => {
    const { queue } = await setup();
    const first = await queue.enqueue(() => {}, digest());
    const rejecting = digest({ onConflict: 'reject' });
    const error = await errorOf(queue.enqueue(() => {}, rejecting));
    expect(error).toBeInstanceOf(DuplicateTaskError);
    expect(error).toMatchObject({ queue: 'default', key: 'digest', taskId: first.id });
    expect(() => queue.tryEnqueue(() => {}, rejecting)).toThrow(DuplicateTaskError);
    expect(queue.size).toBe(1);
  });

  it('waits for a first one that waits for room, and refuses when that got in', async () => {
    const { queue, clock, finish } = await setup({ capacity: 0 });
    const first = queue.enqueue(() => 'first', digest());
    const second = errorOf(queue.enqueue(() => {}, digest({ onConflict: 'reject' })));
    await clock.advance(0);
    await finish('busy');
    expect(await second).toMatchObject({ code: 'DUPLICATE_TASK', taskId: (await first).id });
  });
});

describe('onConflict: replace', () => {
  it('discards the first and takes its key when it waits', async () => {
    const { queue, seen, finish, clock, typesOf } = await setup();
    const first = await queue.enqueue(() => 'first', digest());
    const second = await queue.enqueue(() => 'second', replacing);
    expect([await first.state(), queue.size]).toEqual(['discarded', 1]);
    const error = await errorOf(first.result());
    expect(error).toBeInstanceOf(TaskDiscardedError);
    expect((error as Error).message).toContain(`replaced by task ${second.id}`);
    expect(typesOf(first.id)).toEqual(['task.enqueued', 'task.replaced']);
    expect(seen.find(({ type }) => type === 'task.replaced')).toMatchObject({ key: 'digest' });
    expect(await queue.enqueue(() => {}, digest())).toBe(second);
    await finish('busy');
    await clock.advance(0);
    expect(await second.result()).toBe('second');
  });

  it.each([
    ['scheduled', { delay: '1h' }],
    ['waiting', {}],
  ] as const)('also puts off what is %s: the last one counts', async (_, when) => {
    const { queue, typesOf } = await setup();
    const first = await queue.enqueue(() => {}, { ...digest(), ...when });
    const last = await queue.enqueue(() => {}, { ...replacing, delay: '2h' });
    expect([await first.state(), await last.state(), queue.scheduled, queue.size]).toEqual([
      'discarded',
      'scheduled',
      1,
      0,
    ]);
    expect(typesOf(first.id).at(-1)).toBe('task.replaced');
  });

  it('discards one that is to be retried', async () => {
    const { queue, clock, finish } = await setup();
    const retry = { maxAttempts: 2, backoff: { delayMs: () => 60_000 } };
    const first = await queue.enqueue(() => Promise.reject(new Error('broken')), { ...digest(), retry });
    await finish('busy');
    expect(await first.state()).toBe('retrying');
    const second = await queue.enqueue(() => 'second', replacing);
    expect([await first.state(), await second.result(), queue.scheduled]).toEqual(['discarded', 'second', 0]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves a running one alone, and passes the key on', async () => {
    const { queue, finish, held } = await setup({ concurrency: 2 });
    const first = await queue.enqueue(held('first'), digest());
    const second = queue.tryEnqueue(held('second'), replacing)!;
    expect(second).not.toBe(first);
    await finish('first');
    expect(await first.result()).toBe('first');
    expect(await queue.enqueue(() => {}, digest())).toBe(second);
  });

  it('leaves one alone that has ended within its window', async () => {
    const { queue, finish } = await setup();
    const first = await queue.enqueue(() => 'first', digest({ window: '1h' }));
    await finish('busy');
    const second = await queue.enqueue(() => 'second', replacing);
    expect([await first.result(), await second.result()]).toEqual(['first', 'second']);
  });

  it('takes the place of the first in a full queue, before producers who wait', async () => {
    const { queue, clock } = await setup({ capacity: 1 });
    const first = await queue.enqueue(() => {}, digest());
    const other = isAccepted(queue.enqueue(() => {}));
    const second = queue.tryEnqueue(() => {}, replacing);
    await clock.advance(0);
    expect([await first.state(), await second!.state()]).toEqual(['discarded', 'waiting']);
    expect([other.accepted, queue.size]).toEqual([false, 1]);
  });

  it('drops nobody else from a full queue that drops', async () => {
    const { queue } = await setup({ capacity: 2, fullMode: 'dropOldest' });
    const other = await queue.enqueue(() => {});
    const first = await queue.enqueue(() => {}, digest());
    await queue.enqueue(() => {}, replacing);
    expect([await other.state(), await first.state()]).toEqual(['waiting', 'discarded']);
  });

  it('keeps the first until there is room for the new one, and when it gives up', async () => {
    const { queue, clock } = await setup({ capacity: 1 });
    const first = await queue.enqueue(() => {}, { ...digest(), delay: '1h' });
    await queue.enqueue(() => {});
    expect(queue.tryEnqueue(() => {}, replacing)).toBeUndefined();
    const leaving = new AbortController();
    const second = errorOf(queue.enqueue(() => {}, { ...replacing, signal: leaving.signal }));
    await clock.advance(0);
    expect(await first.state()).toBe('scheduled');
    leaving.abort('enough');
    expect(await second).toBe('enough');
    expect(await first.state()).toBe('scheduled');
    expect(queue.tryEnqueue(() => {}, digest())).toBe(first);
  });

  it('waits for a first one that waits for room, and replaces it then', async () => {
    const { queue, clock, ran, held, finish } = await setup({ capacity: 1 });
    await queue.enqueue(held('other'));
    const first = queue.enqueue(held('first'), digest());
    const second = queue.enqueue(held('second'), replacing);
    await clock.advance(0);
    await finish('busy');
    expect(await (await first).state()).toBe('discarded');
    expect(await (await second).state()).toBe('waiting');
    await finish('other');
    expect(ran).toEqual(['busy', 'other', 'second']);
  });

  it('replaces one that was dequeued and has not begun', async () => {
    const { queue, ran, held } = await setup({ concurrency: 0 });
    const first = await queue.enqueue(held('first'), digest());
    const busy = await queue.dequeue();
    const taken = await queue.dequeue();
    await queue.enqueue(held('second'), replacing);
    await taken.run();
    expect([taken.id === first.id, await first.state(), ran]).toEqual([true, 'discarded', []]);
    expect(busy.name).not.toBe(taken.id);
  });

  it('lets the queue become idle', async () => {
    const { queue, clock, finish } = await setup();
    await queue.enqueue(() => {}, digest());
    await queue.enqueue(() => {}, replacing);
    let isIdle = false;
    void queue.whenIdle().then(() => (isIdle = true));
    await finish('busy');
    await clock.advance(0);
    expect([isIdle, queue.size]).toEqual([true, 0]);
  });
});

describe('a duplicate of a task that is run once more', () => {
  it('does not find a window that begins anew', async () => {
    const { queue, clock, finish, registry } = await setup();
    await finish('busy');
    const stir = defineTask('stir');
    registry.handlers.add({
      definition: definedTask(stir)!,
      label: 'Stirrer',
      handle: () => Promise.reject(new Error('stuck')),
    });
    const first = await queue.enqueue(stir, undefined, of('stir'));
    await clock.advance('5s');
    await registry.engine('default').retry({ states: ['dead'] });
    await clock.advance(0);
    expect(await first.state()).toBe('dead');
    expect(await queue.enqueue(stir, undefined, of('stir'))).not.toBe(first);
  });

  it('takes the place of one that is held back, so that the next of its key may begin', async () => {
    const { queue, clock, ran, held, finish } = await setup({ concurrency: 3 });
    const keyed = { concurrencyKey: 'stove' };
    await queue.enqueue(held('a'), keyed);
    await queue.enqueue(held('b'), { ...keyed, ...digest() });
    await queue.enqueue(held('c'), keyed);
    await queue.enqueue(held('free'), replacing);
    await clock.advance(0);
    expect(ran).toEqual(['busy', 'a', 'free']);
    await finish('a');
    expect(ran.at(-1)).toBe('c');
  });
});
