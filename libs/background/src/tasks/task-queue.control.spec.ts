import { describe, expect, it } from 'vitest';
import { DuplicateNameError, UnknownNameError } from '../errors.js';
import { gate, isSettled } from '../gate.fixture.js';
import { ServiceScopeFactory, type ServiceScope } from '../scopes/scope.js';
import { setup as setupQueue } from './queue.fixture.js';
import { resolveQueueOptions, type TaskQueueOptions } from './queue.options.js';

class FakeScopes extends ServiceScopeFactory {
  constructor(private readonly whenDisposed: Promise<void>) {
    super();
  }

  createScope(): ServiceScope {
    const dispose = () => this.whenDisposed;
    return {
      contextId: { id: 1 },
      resolve: () => Promise.reject(new Error('empty')),
      [Symbol.asyncDispose]: dispose,
    };
  }
}

function setup(options: TaskQueueOptions = {}) {
  const disposal = gate();
  const { clock, seen, registry, queue } = setupQueue(options, { scopes: new FakeScopes(disposal.opened) });
  return { clock, seen, registry, queue, disposal };
}

describe('pause and resume', () => {
  it('lets no further task begin, and running ones go on, while paused', async () => {
    const { queue, clock, seen } = setup();
    const held = gate();
    const running = await queue.enqueue(() => held.opened);
    queue.pause();
    queue.pause();
    const waiting = await queue.enqueue(() => 'after');
    held.open();
    await running.result();
    await clock.advance('1h');
    expect([queue.isPaused, queue.size, await waiting.state()]).toEqual([true, 1, 'waiting']);
    queue.resume();
    queue.resume();
    expect(await waiting.result()).toBe('after');
    expect(queue.isPaused).toBe(false);
    const types = seen.map(({ type }) => type).filter((type) => type.startsWith('queue.'));
    expect(types).toEqual(['queue.paused', 'queue.resumed']);
  });

  it('makes producers wait when a paused queue is full', async () => {
    const { queue, clock } = setup({ capacity: 1 });
    queue.pause();
    await queue.enqueue(() => 1);
    const blocked = queue.enqueue(() => 2);
    expect(await isSettled(blocked, clock)).toBe(false);
    queue.resume();
    expect(await (await blocked).result()).toBe(2);
  });

  it('fills all places again when resumed', async () => {
    const { queue } = setup({ concurrency: 2 });
    const held = gate();
    queue.pause();
    for (let i = 0; i < 3; i++) await queue.enqueue(() => held.opened);
    queue.resume();
    expect([queue.active, queue.size]).toEqual([2, 1]);
    held.open();
    await queue.whenIdle();
  });
});

describe('whenIdle', () => {
  it('resolves at once when nothing was ever enqueued', async () => {
    await expect(setup().queue.whenIdle()).resolves.toBeUndefined();
  });

  it('resolves for everybody when the last task has ended', async () => {
    const { queue, clock } = setup();
    const held = gate();
    await queue.enqueue(() => held.opened);
    await queue.enqueue(() => {});
    const idle = Promise.all([queue.whenIdle(), queue.whenIdle()]);
    expect(await isSettled(idle, clock)).toBe(false);
    held.open();
    await idle;
    expect([queue.size, queue.active]).toEqual([0, 0]);
  });

  it('waits for the disposal of the last scope', async () => {
    const { queue, clock, disposal } = setup();
    await queue.enqueue(({ scope }) => scope.contextId.id);
    const idle = queue.whenIdle();
    expect(await isSettled(idle, clock)).toBe(false);
    disposal.open();
    await expect(idle).resolves.toBeUndefined();
  });

  it('waits while a paused queue holds work', async () => {
    const { queue, clock } = setup();
    queue.pause();
    const handle = await queue.enqueue(() => {});
    const idle = queue.whenIdle();
    expect(await isSettled(idle, clock)).toBe(false);
    await handle.cancel();
    await expect(idle).resolves.toBeUndefined();
  });

  it('counts work that a producer still waits to hand over', async () => {
    const { queue, clock } = setup({ capacity: 0 });
    const held = gate();
    await queue.enqueue(() => {});
    const blocked = queue.enqueue(() => held.opened);
    const idle = queue.whenIdle();
    await blocked;
    expect(await isSettled(idle, clock)).toBe(false);
    held.open();
    await expect(idle).resolves.toBeUndefined();
  });
});

describe('a full queue that its own work waits for', () => {
  it('refuses the work that would wait for itself when it holds the only place', async () => {
    const { queue } = setup({ capacity: 1 });
    const crawl = await queue.enqueue(async function crawl() {
      await queue.enqueue(() => 'fits');
      await queue.enqueue(() => 'does not');
    });
    await expect(crawl.result()).rejects.toMatchObject({ code: 'QUEUE_WAITS_FOR_ITSELF', queue: 'default' });
    await queue.whenIdle();
  });

  it('refuses the last one, and lets the others wait, when all places are so taken', async () => {
    const { queue, clock } = setup({ capacity: 0, concurrency: 2 });
    const follow = (): Promise<unknown> => queue.enqueue(() => 'followed');
    const [first, second] = [queue.tryEnqueue(follow)!, queue.tryEnqueue(follow)!];
    await expect(second.result()).rejects.toMatchObject({ code: 'QUEUE_WAITS_FOR_ITSELF' });
    await first.result();
    await clock.advance(0);
    expect([queue.size, queue.active]).toEqual([0, 0]);
  });

  it('lets work wait when another task will give its place free', async () => {
    const { queue, clock } = setup({ capacity: 0, concurrency: 2 });
    const held = gate();
    await queue.enqueue(() => held.opened);
    const waits = await queue.enqueue(() => queue.enqueue(() => 'followed'));
    expect(await isSettled(waits.result(), clock)).toBe(false);
    held.open();
    expect(await (await waits.result()).result()).toBe('followed');
  });

  it('lets work wait when a task that was cancelled has to give its place free', async () => {
    const { queue, clock } = setup({ capacity: 0, concurrency: 2 });
    const held = gate();
    const stubborn = await queue.enqueue(() => held.opened);
    await clock.advance(0);
    await stubborn.cancel();
    const waits = await queue.enqueue(() => queue.enqueue(() => 'followed'));
    expect(await isSettled(waits.result(), clock)).toBe(false);
    await clock.advance('1s');
    expect(await (await waits.result()).result()).toBe('followed');
    held.open();
  });

  it('lets work of one queue wait for another', async () => {
    const { queue, registry, clock } = setup();
    const other = registry.create(resolveQueueOptions({ name: 'other', capacity: 0 }, 'queue'));
    const waits = await queue.enqueue(() => other.enqueue(() => 'elsewhere'));
    expect(await isSettled(waits.result(), clock)).toBe(false);
    registry.workers[1]!.runner.begin!();
    expect(await (await waits.result()).result()).toBe('elsewhere');
  });
});

describe('QueueRegistry', () => {
  it('knows the queues by name and names the nearest when there is none', () => {
    const { registry, queue } = setup({ name: 'photos' });
    expect(registry.queue('photos')).toBe(queue);
    expect(registry.queues).toEqual([queue]);
    expect(() => registry.queue('fotos')).toThrow(UnknownNameError);
    expect(() => registry.queue('photo')).toThrow(/Did you mean 'photos'/);
  });

  it('refuses a second queue of one name', () => {
    const { registry } = setup();
    expect(() => registry.create(resolveQueueOptions({}, 'queue'))).toThrow(DuplicateNameError);
  });

  it('keeps queues apart', async () => {
    const { registry, queue } = setup();
    const other = registry.create(resolveQueueOptions({ name: 'other' }, 'queue'));
    queue.pause();
    registry.workers[1]!.runner.begin!();
    const [here, there] = [await queue.enqueue(() => {}), await other.enqueue(() => 'other')];
    expect(await there.result()).toBe('other');
    expect([await here.state(), there.queue]).toEqual(['waiting', 'other']);
  });

  it('gives every queue a worker service of its own name', () => {
    const { registry } = setup({ name: 'photos' });
    expect(registry.workers.map(({ name, runner }) => [name, runner.kind])).toEqual([
      ['queue:photos', 'queue'],
    ]);
  });
});
