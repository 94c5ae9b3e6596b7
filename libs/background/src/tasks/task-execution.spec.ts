import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { BackgroundContext } from '../scopes/background-context.js';
import type { TaskContext, WorkWrapper } from '../scopes/context.js';
import { ServiceScopeFactory, type ServiceScope } from '../scopes/scope.js';
import { setup as setupQueue } from './queue.fixture.js';
import type { TaskQueueOptions } from './queue.options.js';

class RecordingScopes extends ServiceScopeFactory {
  readonly opened: unknown[] = [];
  readonly disposed: string[] = [];

  constructor(private readonly disposeError?: Error) {
    super();
  }

  createScope(context?: object): ServiceScope {
    this.opened.push(context);
    return {
      contextId: { id: this.opened.length },
      resolve: () => Promise.reject(new Error('empty')),
      [Symbol.asyncDispose]: async () => {
        this.disposed.push('disposed');
        if (this.disposeError) throw this.disposeError;
      },
    };
  }
}

function setup({
  wrap,
  disposeError,
  ...options
}: TaskQueueOptions & { wrap?: WorkWrapper; disposeError?: Error } = {}) {
  const scopes = new RecordingScopes(disposeError);
  const { clock, seen, queue } = setupQueue(options, { scopes, wrap });
  return { clock, seen, scopes, queue };
}

async function findContext(): Promise<unknown> {
  await Promise.resolve();
  return BackgroundContext.current();
}

describe('the context of a task', () => {
  it('tells the work about itself', async () => {
    const { queue, clock } = setup({ name: 'photos' });
    queue.pause();
    const handle = await queue.enqueue(function resize(context) {
      const { id, name, queue: queueName, attempt, maxAttempts, enqueuedAt } = context;
      return { id, name, queueName, attempt, maxAttempts, enqueuedAt };
    });
    await clock.advance('5s');
    queue.resume();
    expect(await handle.result()).toEqual({
      id: handle.id,
      name: 'resize',
      queueName: 'photos',
      attempt: 1,
      maxAttempts: 1,
      enqueuedAt: new Date('2026-01-01T00:00:00Z'),
    });
  });

  it('carries a frozen copy of the metadata', async () => {
    const { queue } = setup();
    const metadata: Record<string, unknown> = { user: 'ada' };
    queue.pause();
    const handle = await queue.enqueue((context) => context.metadata, { metadata });
    metadata['user'] = 'changed';
    queue.resume();
    const carried = await handle.result();
    expect(carried).toEqual({ user: 'ada' });
    expect(Object.isFrozen(carried)).toBe(true);
    expect(await (await queue.enqueue((context) => context.metadata)).result()).toEqual({});
  });

  it('is found from anywhere inside the work, and not outside', async () => {
    const { queue } = setup();
    const handle = await queue.enqueue(async (context) => (await findContext()) === context);
    expect(await handle.result()).toBe(true);
    expect(await findContext()).toBeUndefined();
  });

  it("Q13 does not carry over the caller's own async context, nor that of the task before", async () => {
    const { queue } = setup();
    const request = new AsyncLocalStorage<string>();
    const work = (): string | undefined => request.getStore();
    const straight = await request.run('first request', () => queue.enqueue(work));
    const queued = await request.run('second request', () => queue.enqueue(work));
    expect(await straight.result()).toBeUndefined();
    expect(await queued.result()).toBeUndefined();
  });
});

describe('the scope of a task', () => {
  it('Q11 is opened for the context when the work asks for it, and only then', async () => {
    const { queue, scopes } = setup();
    await (await queue.enqueue(() => {})).result();
    expect(scopes.opened).toEqual([]);
    const handle = await queue.enqueue((context) => [context.scope === context.scope, context] as const);
    const [same, context] = await handle.result();
    expect(same).toBe(true);
    expect(scopes.opened).toEqual([context]);
  });

  it.each([
    ['completes', () => {}],
    ['fails', () => Promise.reject(new Error('broken'))],
  ])('is disposed before the result settles when the work %s', async (_, end) => {
    const { queue, scopes } = setup();
    const handle = await queue.enqueue((context: TaskContext) => {
      void context.scope;
      return end();
    });
    const disposedAtEnd = await handle.result().then(
      () => [...scopes.disposed],
      () => [...scopes.disposed],
    );
    expect(disposedAtEnd).toEqual(['disposed']);
  });

  it('reports a failed disposal, and keeps the outcome', async () => {
    const error = new Error('cannot close');
    const { queue, seen } = setup({ disposeError: error });
    const handle = await queue.enqueue(({ scope }) => scope.contextId.id);
    expect(await handle.result()).toBe(1);
    const owner = `task ${handle.id} of queue 'default'`;
    expect(seen).toContainEqual(expect.objectContaining({ type: 'scope.disposeFailed', owner, error }));
  });
});

describe('wrap', () => {
  it('is put around the work with its context', async () => {
    const calls: unknown[] = [];
    const wrap: WorkWrapper = async (context, run) => {
      calls.push(['before', (context as TaskContext).name, BackgroundContext.current() === context]);
      const result = await run();
      calls.push(['after', result]);
      return result;
    };
    const { queue } = setup({ wrap });
    const handle = await queue.enqueue(function resize() {
      calls.push('work');
      return 'small';
    });
    expect(await handle.result()).toBe('small');
    expect(calls).toEqual([['before', 'resize', true], 'work', ['after', 'small']]);
  });

  it('sees the failure of the work as a rejection, and its own failure is that of the task', async () => {
    const { queue } = setup({
      wrap: (_, run) => run().catch((error: Error) => Promise.reject(new Error(`wrapped: ${error.message}`))),
    });
    const handle = await queue.enqueue(() => {
      throw new Error('broken');
    });
    await expect(handle.result()).rejects.toThrow('wrapped: broken');
  });

  it('fails the task when it throws before it has called run', async () => {
    const error = new Error('no tracer');
    const wrap: WorkWrapper = () => {
      throw error;
    };
    const { queue } = setup({ wrap });
    await expect((await queue.enqueue(() => 1)).result()).rejects.toBe(error);
  });
});

describe('the events of a task', () => {
  it('carry the queue, the name and the duration', async () => {
    const { queue, clock, seen } = setup();
    const handle = await queue.enqueue(async function resize() {
      await new Promise<void>((resolve) => clock.schedule(250, resolve));
    });
    await clock.advance('1s');
    const about = { taskId: handle.id, name: 'resize', queue: 'default' };
    expect(seen).toMatchObject([
      { type: 'task.enqueued', ...about },
      { type: 'task.started', ...about },
      { type: 'task.completed', ...about, durationMs: 250 },
    ]);
  });

  it('come in the order of life when the producer had to wait', async () => {
    const { queue, seen } = setup({ capacity: 0 });
    await queue.enqueue(() => {});
    const handle = await queue.enqueue(() => {});
    await handle.result();
    const types = seen
      .filter((event) => 'taskId' in event && event.taskId === handle.id)
      .map(({ type }) => type);
    expect(types).toEqual(['task.enqueued', 'task.started', 'task.completed']);
  });

  it('are failures, and no cancellations, when an AbortError comes out of work that nobody aborted', async () => {
    const { queue } = setup();
    const handle = await queue.enqueue(() => Promise.reject(new DOMException('gave up', 'AbortError')));
    await expect(handle.result()).rejects.toThrow('gave up');
    expect(await handle.state()).toBe('dead');
  });
});
