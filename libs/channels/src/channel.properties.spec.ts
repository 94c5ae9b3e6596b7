import { getEventListeners } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createBoundedChannel,
  createPriorityChannel,
  createUnboundedChannel,
  type Channel,
} from './index.js';

/** One action on a channel; `cancel` gives up the n-th wait that was started, wherever it stands by then. */
type Action =
  | { readonly kind: 'write' | 'tryWrite' | 'read' | 'tryRead' | 'step' | 'settle' }
  | { readonly kind: 'cancel'; readonly which: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constantFrom('write', 'tryWrite', 'read', 'tryRead', 'step', 'settle') }),
  fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(30) }),
);
const actions = fc.array(action, { maxLength: 80 });
const capacity = fc.constantFrom(0, 1, 2, 5);

interface History {
  /** Items whose write was accepted, and those whose write was cancelled. */
  readonly accepted: number[];
  readonly cancelled: number[];
  /** Items in the order in which the channel gave them out. */
  readonly delivered: number[];
  readonly signals: AbortSignal[];
}

/** Plays the actions, drains what is left, and completes the channel. */
async function play(channel: Channel<number>, plan: readonly Action[], bound: number): Promise<History> {
  const { reader, writer } = channel;
  const history: History = { accepted: [], cancelled: [], delivered: [], signals: [] };
  const controllers: AbortController[] = [];
  const waits: Promise<unknown>[] = [];
  let item = 0;

  function newSignal(): AbortSignal {
    const controller = new AbortController();
    controllers.push(controller);
    history.signals.push(controller.signal);
    return controller.signal;
  }
  // Readers are served in order, so the order in which their promises settle is the order of delivery.
  const deliver = (value: number): void => void history.delivered.push(value);
  const start: Record<Action['kind'], (step: Action) => unknown> = {
    write: () => {
      const written = item++;
      const note = (list: number[]) => () => void list.push(written);
      const promise = writer.write(written, { signal: newSignal() });
      waits.push(promise.then(note(history.accepted), note(history.cancelled)));
    },
    tryWrite: () => writer.tryWrite(item) && history.accepted.push(item++),
    read: () => waits.push(reader.read({ signal: newSignal() }).then(deliver, () => {})),
    step: () => {
      const iterator = reader.readAll({ signal: newSignal() })[Symbol.asyncIterator]();
      waits.push(
        iterator.next().then(
          ({ value }) => value === undefined || deliver(value),
          () => {},
        ),
      );
    },
    tryRead: () => {
      const value = reader.tryRead();
      if (value !== undefined) waits.push(Promise.resolve(value).then(deliver));
    },
    settle: async () => undefined,
    cancel: (step) => step.kind === 'cancel' && controllers[step.which]?.abort(new Error('given up')),
  };
  for (const step of plan) {
    start[step.kind](step);
    expect(reader.count).toBeLessThanOrEqual(bound);
    if (step.kind === 'settle') for (let i = 0; i < 5; i++) await Promise.resolve();
  }
  while (reader.tryPeek() !== undefined) start.tryRead({ kind: 'tryRead' });
  writer.complete();
  await Promise.all(waits);
  await reader.completion;
  return history;
}

/** An order in which many items are equal. */
const byThirds = (a: number, b: number): number => (a % 3) - (b % 3);
const ascending = (items: readonly number[]): number[] => items.toSorted((a, b) => a - b);

function expectNothingLost({ accepted, cancelled, delivered, signals }: History): void {
  expect(ascending(delivered)).toEqual(ascending(accepted));
  expect(delivered.filter((item) => cancelled.includes(item))).toEqual([]);
  for (const signal of signals) expect(getEventListeners(signal, 'abort')).toEqual([]);
}

describe('whatever is done to a channel, in whatever order', () => {
  it('C22 C23 C31 C45 a channel that waits delivers what it accepted once, in order, within its capacity', async () => {
    await fc.assert(
      fc.asyncProperty(capacity, actions, async (bound, plan) => {
        const history = await play(createBoundedChannel<number>(bound), plan, bound);
        expectNothingLost(history);
        expect(history.delivered).toEqual(ascending(history.delivered));
      }),
      { numRuns: 300 },
    );
  });

  it('C55 an unbounded channel delivers everything once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (plan) => {
        const history = await play(createUnboundedChannel<number>(), plan, Infinity);
        expectNothingLost(history);
        expect(history.delivered).toEqual(ascending(history.delivered));
      }),
    );
  });

  it('a bounded priority channel delivers everything once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), actions, async (bound, plan) => {
        const channel = createPriorityChannel<number>({ compare: byThirds, capacity: bound });
        const history = await play(channel, plan, bound);
        expectNothingLost(history);
        expect(history.delivered).toHaveLength(history.accepted.length);
      }),
    );
  });

  it('C46 C50 in a drop mode every item is either delivered or reported, never both', async () => {
    const modes = fc.constantFrom('dropOldest', 'dropNewest', 'dropWrite');
    await fc.assert(
      fc.asyncProperty(capacity, modes, fc.boolean(), actions, async (bound, fullMode, urgent, plan) => {
        const dropped: number[] = [];
        const options = { capacity: bound, fullMode, onDropped: (item: number) => void dropped.push(item) };
        const channel =
          urgent && bound > 0
            ? createPriorityChannel<number>({ ...options, compare: byThirds })
            : createBoundedChannel<number>(options);
        const { accepted, delivered } = await play(channel, plan, bound);
        expect(ascending([...delivered, ...dropped])).toEqual(ascending(accepted));
      }),
      { numRuns: 300 },
    );
  });
});
