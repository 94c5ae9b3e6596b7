// Long because it is one contract: everything that a typed task promises beyond a closure.
import { constant } from 'nestjs-nightshift/channels';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorOf } from '../error-of.fixture.js';
import {
  AsyncPayloadSchemaError,
  DuplicateTaskHandlerError,
  InvalidPayloadError,
  InvalidWorkError,
  NoTaskHandlerError,
  PartlyEnqueuedError,
  QueueClosedError,
  WrongQueueError,
} from '../errors.js';
import { defineTask } from './task-definition.js';
import type { EnqueueOptions } from './enqueue.options.js';
import { setup } from './typed-tasks.fixture.js';

interface Recipe {
  readonly sweet: string;
  readonly steps?: string[] | undefined;
}

const cook = defineTask<Recipe, string>('cook');
const stir = defineTask('stir');
const order = defineTask('order', {
  payload: z.object({ sweet: z.string().trim().min(1), pieces: z.number().int().default(10) }),
}).returns<number>();

/** A schema that takes its time; `check` says whether it accepts. */
const slowOrder = defineTask('slow-order', {
  payload: v.pipeAsync(
    v.string(),
    v.checkAsync(async (sweet) => Promise.resolve(sweet !== 'coal'), 'is no sweet'),
  ),
});

describe('a typed task', () => {
  it('is done by the handler of its definition, whose result is that of the task', async () => {
    const { queue, handle, given } = setup();
    handle(cook, ({ sweet }) => `hot ${sweet}`);
    const task = await queue.enqueue(cook, { sweet: 'fudge' });
    expect(await task.result()).toBe('hot fudge');
    expect(given).toEqual([{ sweet: 'fudge' }]);
  });

  it('is called by the name of its definition, unless enqueue() says another', async () => {
    const { queue, handle } = setup();
    handle(stir, (_, { name }) => name);
    const [one, other] = [
      await queue.enqueue(stir),
      await queue.enqueue(stir, undefined, { name: 'stir slowly' }),
    ];
    expect([one.name, other.name]).toEqual(['stir', 'stir slowly']);
    expect([await one.result(), await other.result()]).toEqual(['stir', 'stir slowly']);
  });

  it('has the context of any task', async () => {
    const { queue, handle } = setup();
    handle(stir, (_, { attempt, queue: name, metadata, tags }) => ({ attempt, name, metadata, tags }));
    const task = await queue.enqueue(stir, undefined, { metadata: { by: 'Ada' }, tags: ['slow'] });
    expect(await task.result()).toEqual({
      attempt: 1,
      name: 'default',
      metadata: { by: 'Ada' },
      tags: ['slow'],
    });
  });

  it('is found by the name, whichever definition of that name is used', async () => {
    const { queue, handle } = setup();
    handle(cook, () => 'cooked');
    const same = defineTask<Recipe, string>('cook');
    expect(await (await queue.enqueue(same, { sweet: 'fudge' })).result()).toBe('cooked');
  });

  it('is accepted in order with closures and with others', async () => {
    const { queue, handle } = setup();
    const ran: string[] = [];
    handle(cook, ({ sweet }) => ran.push(sweet));
    const first = queue.enqueue(cook, { sweet: 'one' });
    const second = queue.enqueue(() => ran.push('two'));
    const third = queue.enqueue(cook, { sweet: 'three' });
    await Promise.all([first, second, third]);
    await queue.whenIdle();
    expect(ran).toEqual(['one', 'two', 'three']);
  });

  it('ends as its handler says', async () => {
    const { queue, handle, clock, eventOf } = setup();
    handle(stir, (_, context) => context.discard('cold'));
    handle(cook, () => Promise.reject(new Error('burnt')));
    const [stirred, cooked] = [await queue.enqueue(stir), await queue.enqueue(cook, { sweet: 'fudge' })];
    await clock.advance(0);
    expect(await stirred.state()).toBe('discarded');
    expect(await errorOf(cooked.result())).toEqual(new Error('burnt'));
    expect(eventOf('task.failed')).toMatchObject({ name: 'cook' });
  });

  it('runs again after a failure, with a payload that the first attempt did not touch', async () => {
    const { queue, handle, clock } = setup();
    const persistent = defineTask<{ steps: string[] }, number>('persistent', {
      retry: { maxAttempts: 3, backoff: constant('1s') },
    });
    handle(persistent, ({ steps }, { attempt }) => {
      steps.push('spoilt');
      if (attempt < 3) throw new Error('not yet');
      return steps.length;
    });
    const task = await queue.enqueue(persistent, { steps: [] });
    await clock.advance('2s');
    expect(await task.result()).toBe(1);
  });

  it('is not tried again when its payload no longer fits', async () => {
    const { queue, handle, given, clock, eventOf } = setup({ retry: { maxAttempts: 3 } });
    const answers = [true, false];
    const fickle = defineTask('fickle', {
      payload: z.string().refine(() => answers.shift() ?? true),
    });
    handle(fickle);
    const task = await queue.enqueue(fickle, 'humbug');
    await clock.advance('1h');
    expect(await errorOf(task.result())).toMatchObject({ code: 'INVALID_PAYLOAD' });
    expect(eventOf('task.failed')).toMatchObject({ name: 'fickle', attempt: 1 });
    expect(given).toEqual([]);
  });
});

describe('options of a typed task', () => {
  it('win over those of the definition, which win over the queue', async () => {
    const { queue, handle, clock } = setup({
      timeout: '1s',
      retry: { maxAttempts: 2, backoff: constant('1s') },
    });
    const patient = defineTask<string>('patient', { timeout: '10s', retry: { maxAttempts: 3 } });
    const attempts = new Map<string, number>();
    handle(patient, (name, { attempt, maxAttempts }) => {
      attempts.set(name, maxAttempts * 10 + attempt);
      throw new Error('no');
    });
    await queue.enqueue(patient, 'definition');
    await queue.enqueue(patient, 'enqueue', { retry: { maxAttempts: 1 } });
    await clock.advance('10s');
    expect(Object.fromEntries(attempts)).toEqual({ definition: 33, enqueue: 11 });
  });

  it('give the priority, and the key that depends on the payload as the schema gives it', async () => {
    const { queue, handle, given } = setup({ concurrency: 1 });
    const urgent = defineTask('urgent', {
      payload: z.string().trim(),
      priority: -1,
      deduplicationKey: (text) => text,
    });
    handle(urgent);
    handle(stir);
    queue.pause();
    await queue.enqueue(stir);
    const [one, same] = [await queue.enqueue(urgent, 'a'), await queue.enqueue(urgent, ' a ')];
    const other = await queue.enqueue(urgent, 'a', { deduplicationKey: 'other' });
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    queue.resume();
    await queue.whenIdle();
    expect(given).toEqual(['a', 'a', undefined]);
  });

  it('are refused, and nothing is accepted', async () => {
    const { queue, handle } = setup();
    handle(stir);
    const wrong = { retires: 3 } as EnqueueOptions;
    expect(await errorOf(queue.enqueue(stir, undefined, wrong))).toMatchObject({ code: 'INVALID_OPTIONS' });
    const keyless = defineTask('keyless', { deduplicationKey: () => '' });
    handle(keyless);
    expect(await errorOf(queue.enqueue(keyless))).toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining("defineTask('keyless').deduplicationKey") as string,
    });
    expect(queue.size + queue.active).toBe(0);
  });
});

describe('the payload of a typed task', () => {
  it('is what it was when it was enqueued, whatever becomes of the original', async () => {
    const { queue, handle, given } = setup();
    handle(cook);
    const recipe = { sweet: 'fudge', steps: ['melt'] };
    const enqueued = queue.enqueue(cook, recipe);
    recipe.steps.push('burn');
    await (await enqueued).result();
    expect(given).toEqual([{ sweet: 'fudge', steps: ['melt'] }]);
  });

  it('is refused when JSON cannot carry it, before anything is accepted', async () => {
    const { queue, handle, seen } = setup();
    handle(cook);
    const error = await errorOf(queue.enqueue(cook, { sweet: new Date(0) as unknown as string }));
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(error).toMatchObject({ task: 'cook', issues: [{ path: 'payload.sweet' }] });
    expect(() => queue.tryEnqueue(cook, { sweet: 1n as unknown as string })).toThrow(InvalidPayloadError);
    expect(seen).toEqual([]);
  });

  it('is refused by its schema with the path of each issue, before anything is accepted', async () => {
    const { queue, handle, seen } = setup();
    handle(order);
    const error = await errorOf(queue.enqueue(order, { sweet: ' ', pieces: 1.5 }));
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect((error as InvalidPayloadError).issues.map(({ path }) => path)).toEqual([
      'payload.sweet',
      'payload.pieces',
    ]);
    expect((error as InvalidPayloadError).message).toContain('\n- payload.sweet: ');
    expect(() => queue.tryEnqueue(order, { sweet: '' })).toThrow(InvalidPayloadError);
    expect(seen).toEqual([]);
  });

  it('reaches the handler as the schema puts it out', async () => {
    const { queue, handle, given } = setup();
    handle(order, ({ pieces }) => pieces);
    const task = await queue.enqueue(order, { sweet: ' fudge ' });
    expect(await task.result()).toBe(10);
    expect(given).toEqual([{ sweet: 'fudge', pieces: 10 }]);
  });

  it('is validated again before it runs, by the schema of the handler', async () => {
    const { queue, handle, given } = setup();
    const loose = defineTask<{ sweet: string }>('order');
    handle(order);
    const task = await queue.enqueue(loose, { sweet: '' });
    expect(await errorOf(task.result())).toBeInstanceOf(InvalidPayloadError);
    expect(await task.state()).toBe('dead');
    expect(given).toEqual([]);
  });

  it('waits for a schema that takes its time', async () => {
    const { queue, handle, given } = setup();
    handle(slowOrder);
    await (await queue.enqueue(slowOrder, 'fudge')).result();
    const error = await errorOf(queue.enqueue(slowOrder, 'coal'));
    expect(error).toMatchObject({
      code: 'INVALID_PAYLOAD',
      issues: [{ path: 'payload', message: 'is no sweet' }],
    });
    expect(given).toEqual(['fudge']);
  });

  it('is refused by tryEnqueue() when its schema takes its time', async () => {
    const { queue, handle, seen, clock } = setup();
    handle(slowOrder);
    expect(() => queue.tryEnqueue(slowOrder, 'fudge')).toThrow(AsyncPayloadSchemaError);
    expect(() => queue.tryEnqueue(slowOrder, 'coal')).toThrow(AsyncPayloadSchemaError);
    await clock.advance(0);
    expect(seen).toEqual([]);
  });

  it('is shown to the schema as the copy that it will be', async () => {
    const { queue, handle } = setup();
    const shown: unknown[] = [];
    const watched = defineTask('watched', {
      payload: z.unknown().transform((payload) => shown.push(payload)),
    });
    handle(watched);
    const payload = { sweet: 'fudge', price: undefined };
    await (await queue.enqueue(watched, payload)).result();
    expect(shown).toStrictEqual([{ sweet: 'fudge' }, { sweet: 'fudge' }]);
  });

  it('is refused when its schema throws', async () => {
    const cause = new Error('the schema is broken');
    const broken = defineTask('broken', {
      payload: z.string().refine(() => {
        throw cause;
      }),
    });
    const { queue, handle } = setup();
    handle(broken);
    const error = await errorOf(queue.enqueue(broken, 'fudge'));
    expect(error).toMatchObject({ code: 'INVALID_PAYLOAD', cause });
    expect((error as InvalidPayloadError).message).toContain(
      'could not be validated: Error: the schema is broken',
    );
  });
});

describe('a typed task without a handler', () => {
  it('is refused, naming the one that is most likely meant', async () => {
    const { queue, handle, handlers, seen } = setup();
    handle(cook);
    handlers.complete();
    const misspelt = defineTask('cok');
    const error = await errorOf(queue.enqueue(misspelt));
    expect(error).toBeInstanceOf(NoTaskHandlerError);
    expect((error as Error).message).toContain("Did you mean 'cook'?");
    expect(() => queue.tryEnqueue(misspelt)).toThrow(NoTaskHandlerError);
    expect(seen).toEqual([]);
  });

  it('fails when it comes to run, if it was enqueued before the handlers were known', async () => {
    const { queue } = setup();
    const task = await queue.enqueue(stir);
    expect(await errorOf(task.result())).toBeInstanceOf(NoTaskHandlerError);
  });
});

describe('typed tasks in the wrong place', () => {
  it('are refused by a queue that the definition does not name', async () => {
    const { queue, handle } = setup({ name: 'kitchen' });
    const [here, elsewhere] = [
      defineTask('here', { queue: 'kitchen' }),
      defineTask('there', { queue: 'mail' }),
    ];
    handle(here);
    handle(elsewhere);
    await (await queue.enqueue(here)).result();
    expect(await errorOf(queue.enqueue(elsewhere))).toBeInstanceOf(WrongQueueError);
    expect(() => queue.tryEnqueue(elsewhere)).toThrow(WrongQueueError);
  });

  it('have one handler, and a second is refused, naming both', () => {
    const { handle } = setup();
    handle(cook);
    expect(() => handle(defineTask('cook'))).toThrow(DuplicateTaskHandlerError);
    expect(() => handle(defineTask('cook'))).toThrow(/Handler of cook and by Handler of cook/);
  });

  it('are no work when defineTask() did not make them', async () => {
    const { queue } = setup();
    const wrong = { name: 'cook' } as unknown as typeof stir;
    expect(() => queue.enqueue(wrong)).toThrow(InvalidWorkError);
    expect(() => queue.tryEnqueue(wrong)).toThrow(InvalidWorkError);
    expect(await errorOf(queue.enqueueMany(wrong, []))).toBeInstanceOf(InvalidWorkError);
  });
});

describe('tryEnqueue', () => {
  it('accepts a typed task while there is room', async () => {
    const { queue, handle } = setup({ capacity: 1 });
    handle(cook, ({ sweet }) => sweet);
    queue.pause();
    const task = queue.tryEnqueue(cook, { sweet: 'fudge' });
    expect(queue.tryEnqueue(cook, { sweet: 'humbug' })).toBeUndefined();
    queue.resume();
    expect(await task!.result()).toBe('fudge');
  });
});

describe('enqueueMany', () => {
  it('accepts a task for each payload, in order', async () => {
    const { queue, handle } = setup();
    handle(cook, ({ sweet }) => sweet);
    const tasks = await queue.enqueueMany(cook, [{ sweet: 'one' }, { sweet: 'two' }], { priority: 1 });
    expect(await Promise.all(tasks.map((task) => task.result()))).toEqual(['one', 'two']);
    expect(await queue.enqueueMany(cook, [])).toEqual([]);
  });

  it('waits for room', async () => {
    const { queue, handle, given } = setup({ capacity: 1 });
    handle(cook);
    const tasks = await queue.enqueueMany(
      cook,
      ['one', 'two', 'three', 'four'].map((sweet) => ({ sweet })),
    );
    await queue.whenIdle();
    expect(tasks).toHaveLength(4);
    expect(given).toHaveLength(4);
  });

  it('accepts nothing when one payload is wrong, and says which', async () => {
    const { queue, handle, seen } = setup();
    handle(order);
    handle(slowOrder);
    const error = await errorOf(queue.enqueueMany(order, [{ sweet: 'fudge' }, { sweet: '' }]));
    expect(error).toMatchObject({ code: 'INVALID_PAYLOAD', index: 1, issues: [{ path: 'payload.sweet' }] });
    expect((error as Error).message).toContain(
      "Task 'order' got payload 1, counted from 0, that cannot be used",
    );
    expect(await errorOf(queue.enqueueMany(slowOrder, ['fudge', 'coal']))).toMatchObject({ index: 1 });
    expect(seen).toEqual([]);
  });

  it('tells which tasks were accepted when it cannot go on', async () => {
    const { queue, handle } = setup({ capacity: 1 });
    handle(cook);
    queue.pause();
    const giveUp = new AbortController();
    const enqueued = queue.enqueueMany(cook, [{ sweet: 'one' }, { sweet: 'two' }], { signal: giveUp.signal });
    const failed = errorOf(enqueued);
    await Promise.resolve();
    const cause = new Error('enough');
    giveUp.abort(cause);
    const error = (await failed) as PartlyEnqueuedError;
    expect(error).toBeInstanceOf(PartlyEnqueuedError);
    expect(error).toMatchObject({ cause, handles: [{ name: 'cook' }] });
    expect(await error.handles[0]!.cancel()).toBe(true);
  });

  it('says why, and no more, when it could not even begin', async () => {
    const { queue, handle, runner } = setup();
    handle(cook);
    await runner.stop(AbortSignal.abort());
    expect(await errorOf(queue.enqueueMany(cook, [{ sweet: 'one' }]))).toBeInstanceOf(QueueClosedError);
  });
});
