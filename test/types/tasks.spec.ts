/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import {
  taskTransitions,
  type DequeuedTask,
  type EnqueueOptions,
  type TaskContext,
  type TaskHandle,
  type TaskQueue,
  type TaskQueueOptions,
  type TaskState,
  type TaskWork,
} from 'nestjs-nightshift';
import { describe, expectTypeOf, it } from 'vitest';

/** What comes of enqueueing, without enqueueing: these bodies are compiled and never run. */
type Enqueued<F extends (queue: TaskQueue) => unknown> = Awaited<ReturnType<F>>;

interface Photo {
  readonly url: string;
}

describe('the result of a task', () => {
  it('has the type that the work returns', () => {
    const ofPromise = (queue: TaskQueue) => queue.enqueue(async () => 1);
    const ofValue = (queue: TaskQueue) => queue.enqueue(() => 'done');
    const ofNothing = (queue: TaskQueue) => queue.enqueue(async () => {});
    const ofNull = (queue: TaskQueue) => queue.enqueue(async () => null);
    const ofObject = (queue: TaskQueue) => queue.enqueue(async (): Promise<Photo> => ({ url: '/1' }));
    expectTypeOf<Enqueued<typeof ofPromise>>().toEqualTypeOf<TaskHandle<number>>();
    expectTypeOf<Enqueued<typeof ofValue>>().toEqualTypeOf<TaskHandle<string>>();
    expectTypeOf<Enqueued<typeof ofNothing>>().toEqualTypeOf<TaskHandle<void>>();
    expectTypeOf<Enqueued<typeof ofNull>>().toEqualTypeOf<TaskHandle<null>>();
    expectTypeOf<Enqueued<typeof ofObject>>().toEqualTypeOf<TaskHandle<Photo>>();
  });

  it('is a union when the work returns one thing or another', () => {
    const either = (queue: TaskQueue, even: boolean) => queue.enqueue(async () => (even ? 'even' : 1));
    const mixed = (queue: TaskQueue, even: boolean) => queue.enqueue(() => (even ? 1 : Promise.resolve(2)));
    const maybe = (queue: TaskQueue, photo?: Photo) => queue.enqueue(() => photo);
    expectTypeOf<Awaited<ReturnType<typeof either>>>().toEqualTypeOf<TaskHandle<'even' | 1>>();
    expectTypeOf<Awaited<ReturnType<typeof mixed>>>().toEqualTypeOf<TaskHandle<number>>();
    expectTypeOf<Awaited<ReturnType<typeof maybe>>>().toEqualTypeOf<TaskHandle<Photo | undefined>>();
  });

  it('is never when the work only throws', () => {
    const throwing = (queue: TaskQueue) =>
      queue.enqueue(async () => {
        throw new Error('no sugar');
      });
    expectTypeOf<Enqueued<typeof throwing>>().toEqualTypeOf<TaskHandle<never>>();
  });

  it('may be missing altogether when the queue may be full', () => {
    const tried = (queue: TaskQueue) => queue.tryEnqueue(async () => 1);
    expectTypeOf<ReturnType<typeof tried>>().toEqualTypeOf<TaskHandle<number> | undefined>();
    // @ts-expect-error: the queue may have been full
    const unchecked = (queue: TaskQueue) => queue.tryEnqueue(async () => 1).result();
    expectTypeOf(unchecked).toBeFunction();
  });

  it('is unwrapped by result()', () => {
    expectTypeOf<ReturnType<TaskHandle<Photo>['result']>>().toEqualTypeOf<Promise<Photo>>();
    expectTypeOf<ReturnType<TaskHandle<never>['result']>>().toEqualTypeOf<Promise<never>>();
    expectTypeOf<ReturnType<TaskHandle['result']>>().toEqualTypeOf<Promise<unknown>>();
  });
});

describe('work', () => {
  it('is given a context, or takes none', () => {
    expectTypeOf<TaskWork>().parameters.toEqualTypeOf<[context: TaskContext]>();
    const withContext = (queue: TaskQueue) =>
      queue.enqueue(async (context) => {
        expectTypeOf(context).toEqualTypeOf<TaskContext>();
        return context.signal.aborted;
      });
    expectTypeOf<Enqueued<typeof withContext>>().toEqualTypeOf<TaskHandle<boolean>>();
  });

  it('is a function of a context and nothing else', () => {
    const wrong = (queue: TaskQueue) => [
      // @ts-expect-error: the work itself, not a promise of it
      queue.enqueue(Promise.resolve(1)),
      // @ts-expect-error: not its name
      queue.enqueue('resize'),
      // @ts-expect-error: it is called with a context, not with a number
      queue.enqueue((photo: number) => photo),
      // @ts-expect-error: a second argument never comes
      queue.enqueue((context: TaskContext, photo: Photo) => [context, photo]),
    ];
    expectTypeOf(wrong).toBeFunction();
  });
});

describe('the options of tasks and queues', () => {
  it('refuse keys and values that nothing reads', () => {
    const wrong = (queue: TaskQueue) => [
      // @ts-expect-error: a slip of the pen
      queue.enqueue(async () => {}, { nmae: 'resize' }),
      // @ts-expect-error: 'infinite', as everywhere
      queue.enqueue(async () => {}, { timeout: false }),
      // @ts-expect-error: the signal, not its controller
      queue.enqueue(async () => {}, { signal: new AbortController() }),
      // @ts-expect-error: a record
      queue.enqueue(async () => {}, { metadata: 'photo 1' }),
    ];
    expectTypeOf(wrong).toBeFunction();
    // @ts-expect-error: no such mode
    const mode: TaskQueueOptions = { fullMode: 'drop' };
    // @ts-expect-error: a number
    const capacity: TaskQueueOptions = { capacity: '100' };
    expectTypeOf([mode, capacity]).toExtend<TaskQueueOptions[]>();
    expectTypeOf<NonNullable<EnqueueOptions['timeout']>>().toEqualTypeOf<number | string>();
  });

  it('take keys as texts or as objects that say more, and rates whole', () => {
    expectTypeOf<{ key: string; window: '1h'; onConflict: 'replace' }>().toExtend<
      NonNullable<EnqueueOptions['deduplicationKey']>
    >();
    expectTypeOf<{ key: string; limit: number }>().toExtend<NonNullable<EnqueueOptions['concurrencyKey']>>();
    // @ts-expect-error: no such thing to do
    const conflict: EnqueueOptions = { deduplicationKey: { key: 'k', onConflict: 'merge' } };
    // @ts-expect-error: a key is needed
    const keyless: EnqueueOptions = { concurrencyKey: { limit: 2 } };
    // @ts-expect-error: in which time?
    const rate: TaskQueueOptions = { rateLimit: { max: 10 } };
    expectTypeOf([conflict, keyless]).toExtend<EnqueueOptions[]>();
    expectTypeOf(rate).toExtend<TaskQueueOptions>();
  });

  it('hand onDropped any handle', () => {
    expectTypeOf<TaskHandle<number>>().toExtend<TaskHandle>();
    expectTypeOf<NonNullable<TaskQueueOptions['onDropped']>>().parameters.toEqualTypeOf<[task: TaskHandle]>();
  });
});

describe('handles and contexts', () => {
  it('can be read and not written', () => {
    const change = (handle: TaskHandle, context: TaskContext, task: DequeuedTask, queue: TaskQueue) => {
      // @ts-expect-error: readonly
      handle.id = '';
      // @ts-expect-error: readonly
      context.attempt = 2;
      // @ts-expect-error: what it was enqueued with
      context.metadata['photo'] = 1;
      // @ts-expect-error: readonly
      task.enqueuedAt = new Date();
      // @ts-expect-error: readonly
      queue.capacity = 1_000;
    };
    expectTypeOf(change).toBeFunction();
    expectTypeOf<TaskContext['metadata']>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
  });

  it('leave the outcome of a dequeued task to its handle', () => {
    expectTypeOf<DequeuedTask['run']>().returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf<DequeuedTask>().not.toHaveProperty('result');
    const dequeued = (queue: TaskQueue, signal: AbortSignal) => queue.dequeue({ signal });
    expectTypeOf<ReturnType<typeof dequeued>>().toEqualTypeOf<Promise<DequeuedTask>>();
  });

  it('know every state, each of which has its transitions', () => {
    expectTypeOf<TaskState>().toEqualTypeOf<keyof typeof taskTransitions>();
    expectTypeOf<ReturnType<TaskHandle['state']>>().toEqualTypeOf<Promise<TaskState>>();
  });

  it('cannot be made, only got from the module', () => {
    // @ts-expect-error: its constructor takes what no application has
    const make = (Queue: typeof TaskQueue) => new Queue({ name: 'mine' });
    expectTypeOf(make).toBeFunction();
  });
});
