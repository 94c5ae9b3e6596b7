/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import { type } from 'arktype';
import {
  defineTask,
  TaskHandler,
  type AnyTaskDefinition,
  type PayloadOf,
  type ResultOf,
  type TaskContext,
  type TaskDefinition,
  type TaskHandle,
  type TaskQueue,
} from 'nestjs-nightshift';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

interface Photo {
  readonly id: string;
}
interface Size {
  readonly width: number;
}

const resizePhoto = defineTask<Photo, Size>('types-resize-photo');
const sweep = defineTask('types-sweep');

describe('a definition', () => {
  it('has the types that are written out, and those that a schema has', () => {
    expectTypeOf(sweep).toEqualTypeOf<TaskDefinition<void, void, void>>();
    expectTypeOf(resizePhoto).toEqualTypeOf<TaskDefinition<Photo, Size, Photo>>();
    expectTypeOf(defineTask<Photo>('types-1')).toEqualTypeOf<TaskDefinition<Photo, void, Photo>>();
    expectTypeOf<PayloadOf<typeof resizePhoto>>().toEqualTypeOf<Photo>();
    expectTypeOf<ResultOf<typeof resizePhoto>>().toEqualTypeOf<Size>();
  });

  it('has the input and the output of a schema of Zod, Valibot and ArkType', () => {
    const ofZod = defineTask('types-zod', {
      payload: z.object({
        at: z.string().transform((text) => new Date(text)),
        size: z.number().default(320),
      }),
    });
    const ofValibot = defineTask('types-valibot', {
      payload: v.object({
        at: v.pipe(
          v.string(),
          v.transform((text) => new Date(text)),
        ),
        size: v.optional(v.number(), 320),
      }),
    });
    const ofArkType = defineTask('types-arktype', {
      payload: type({ at: 'string.date.parse', size: 'number = 320' }),
    });
    interface Input {
      at: string;
      size?: number | undefined;
    }
    interface Output {
      at: Date;
      size: number;
    }
    expectTypeOf<PayloadOf<typeof ofZod>>().toEqualTypeOf<Output>();
    expectTypeOf(ofZod).toEqualTypeOf<TaskDefinition<Output, void, Input>>();
    expectTypeOf(ofValibot).toEqualTypeOf<TaskDefinition<Output, void, Input>>();
    expectTypeOf(ofArkType).toEqualTypeOf<TaskDefinition<Output, void, { at: string; size?: number }>>();
  });

  it('is told the type of its result beside a schema by returns()', () => {
    const count = defineTask('types-count', { payload: z.string() }).returns<number>();
    expectTypeOf(count).toEqualTypeOf<TaskDefinition<string, number, string>>();
  });

  it('hands its payload to the function that makes the key', () => {
    defineTask('types-key', {
      payload: z.object({ id: z.coerce.number() }),
      deduplicationKey: ({ id }) => {
        expectTypeOf(id).toEqualTypeOf<number>();
        return String(id);
      },
    });
    defineTask<Photo>('types-key', { deduplicationKey: ({ id }) => id });
    // @ts-expect-error: a text, and not the photo itself
    const wrong = () => defineTask<Photo>('types-key', { deduplicationKey: (photo) => photo });
    expectTypeOf(wrong).toBeFunction();
  });

  it('refuses what nothing reads, and a schema of something else', () => {
    const wrong = () => [
      // @ts-expect-error: a slip of the pen
      defineTask('types-wrong', { timeuot: '1s' }),
      // @ts-expect-error: each enqueue() has its own
      defineTask('types-wrong', { delay: '1s' }),
      // @ts-expect-error: not the photo that was promised
      defineTask<Photo>('types-wrong', { payload: z.object({ id: z.number() }) }),
      // @ts-expect-error: a schema, and not what it is made of
      defineTask('types-wrong', { payload: { id: z.string() } }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });

  it('is one of any types', () => {
    expectTypeOf(resizePhoto).toExtend<AnyTaskDefinition>();
    expectTypeOf(sweep).toExtend<AnyTaskDefinition>();
    expectTypeOf<(() => void) | string | object>().not.toExtend<AnyTaskDefinition>();
  });
});

describe('enqueueing', () => {
  it('gives a handle of the result', () => {
    const use = async (queue: TaskQueue) => {
      expectTypeOf(await queue.enqueue(resizePhoto, { id: '1' })).toEqualTypeOf<TaskHandle<Size>>();
      expectTypeOf(queue.tryEnqueue(resizePhoto, { id: '1' })).toEqualTypeOf<TaskHandle<Size> | undefined>();
      expectTypeOf(await queue.enqueueMany(resizePhoto, [{ id: '1' }])).toEqualTypeOf<TaskHandle<Size>[]>();
      expectTypeOf(await queue.enqueue(sweep)).toEqualTypeOf<TaskHandle<void>>();
      expectTypeOf(queue.tryEnqueue(sweep)).toEqualTypeOf<TaskHandle<void> | undefined>();
    };
    expectTypeOf(use).toBeFunction();
  });

  it('takes the payload, and options after it', () => {
    const maybe = defineTask('types-maybe', { payload: z.object({ id: z.string() }).optional() });
    const use = (queue: TaskQueue) => [
      queue.enqueue(resizePhoto, { id: '1' }, { delay: '1s', priority: -1 }),
      queue.enqueue(sweep, undefined, { tags: ['nightly'] }),
      queue.enqueue(maybe),
      queue.enqueue(maybe, { id: '1' }),
      queue.enqueueMany(resizePhoto, [{ id: '1' }] as const, { priority: 1 }),
      queue.enqueueMany(sweep, [undefined, undefined]),
    ];
    expectTypeOf(use).toBeFunction();
  });

  it('refuses another payload, none, or one too many', () => {
    const wrong = (queue: TaskQueue) => [
      // @ts-expect-error: a photo has an id
      queue.enqueue(resizePhoto, {}),
      // @ts-expect-error: a text
      queue.enqueue(resizePhoto, { id: 1 }),
      // @ts-expect-error: there is more to a photo than nothing
      queue.enqueue(resizePhoto),
      // @ts-expect-error: an option that nothing reads
      queue.enqueue(resizePhoto, { id: '1' }, { retries: 3 }),
      // @ts-expect-error: it has no payload
      queue.enqueue(sweep, { id: '1' }),
      // @ts-expect-error: a photo has an id
      queue.tryEnqueue(resizePhoto, {}),
      // @ts-expect-error: there is more to a photo than nothing
      queue.tryEnqueue(resizePhoto),
      // @ts-expect-error: several
      queue.enqueueMany(resizePhoto, { id: '1' }),
      // @ts-expect-error: all of them
      queue.enqueueMany(resizePhoto, [{ id: '1' }, {}]),
      // @ts-expect-error: with one key for all only the first would run
      queue.enqueueMany(resizePhoto, [{ id: '1' }], { deduplicationKey: 'photo' }),
      // @ts-expect-error: closures are enqueued one by one
      queue.enqueueMany(() => {}, [1]),
    ];
    expectTypeOf(wrong).toBeFunction();
  });

  it('takes the input of a schema, and not its output', () => {
    const remind = defineTask('types-remind', {
      payload: z.object({ at: z.iso.datetime().transform(Date.parse) }),
    });
    const use = (queue: TaskQueue) => [
      queue.enqueue(remind, { at: '2026-01-01T00:00:00Z' }),
      // @ts-expect-error: that is what its handler gets
      queue.enqueue(remind, { at: 0 }),
    ];
    expectTypeOf(use).toBeFunction();
  });

  it('goes through a function that knows no more than that it is a definition', () => {
    const later = <P, R, I>(queue: TaskQueue, definition: TaskDefinition<P, R, I>, payload: I) =>
      queue.enqueue(definition, payload, { delay: '1m' });
    const use = (queue: TaskQueue) => later(queue, resizePhoto, { id: '1' });
    expectTypeOf(use).returns.resolves.toEqualTypeOf<TaskHandle<Size>>();
  });
});

describe('a handler', () => {
  it('is a class whose handle() takes the payload and gives the result', () => {
    @TaskHandler(resizePhoto)
    class Plain {
      handle({ id }: Photo): Size {
        return { width: id.length };
      }
    }
    @TaskHandler(resizePhoto)
    class Contracted implements TaskHandler<typeof resizePhoto> {
      async handle(_photo: PayloadOf<typeof resizePhoto>, context: TaskContext) {
        if (context.attempt > 1) return context.discard('tried already');
        if (context.signal.aborted) return context.retryAfter('1s');
        return { width: 1 };
      }
    }
    @TaskHandler(resizePhoto)
    class Field {
      readonly handle = (photo: { id: unknown }): Promise<{ width: number; height: number }> =>
        Promise.resolve({ width: String(photo.id).length, height: 1 });
    }
    @TaskHandler(sweep)
    class Sweeper implements TaskHandler<typeof sweep> {
      async handle(): Promise<void> {}
    }
    expectTypeOf([Plain, Contracted, Field, Sweeper]).toBeArray();
  });

  it('is no class without handle(), or with another', () => {
    // @ts-expect-error: nothing to call
    @TaskHandler(resizePhoto)
    class Empty {}
    // @ts-expect-error: another payload
    @TaskHandler(resizePhoto)
    class OtherPayload {
      handle(photo: { id: number }): Size {
        return { width: photo.id };
      }
    }
    // @ts-expect-error: it needs more than it is given
    @TaskHandler(resizePhoto)
    class MorePayload {
      handle(photo: Photo & { taken: string }): Size {
        return { width: photo.taken.length };
      }
    }
    // @ts-expect-error: another result
    @TaskHandler(resizePhoto)
    class OtherResult {
      async handle(): Promise<string> {
        return 'small';
      }
    }
    // @ts-expect-error: the definition promises no result
    @TaskHandler(sweep)
    class UnsaidResult {
      async handle(): Promise<number> {
        return 1;
      }
    }
    // @ts-expect-error: no third argument ever comes
    @TaskHandler(resizePhoto)
    class ThirdArgument {
      handle(_photo: Photo, _context: TaskContext, width: number): Size {
        return { width };
      }
    }
    expectTypeOf([Empty, OtherPayload, MorePayload, OtherResult, UnsaidResult, ThirdArgument]).toBeArray();
    // @ts-expect-error: a definition, and not its name
    expectTypeOf(() => TaskHandler('resize-photo')).toBeFunction();
  });
});
