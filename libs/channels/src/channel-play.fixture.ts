import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import * as fc from 'fast-check';
import {
  byThirds,
  ChannelModel,
  type Kind,
  type ModelIteration,
  type Settlement,
} from './channel-model.fixture.js';
import {
  ChannelClosedError,
  createBoundedChannel,
  createPriorityChannel,
  createUnboundedChannel,
  type Channel,
  type WaitOptions,
} from './index.js';

/** How many signals and iterations there are at a time. */
export const slots = 3;
const lines = ['readers', 'writers', 'watchingReaders', 'watchingWriters'] as const;

/** What completes a channel: nothing, an error, or a cancellation. */
export const completionErrors = new Map<string, Error>([
  ['boom', new Error('boom')],
  ['AbortError', new DOMException('stopped', 'AbortError')],
]);

/** The model, and the numbers of the signals and iterations that commands speak of by their slot. */
export class Expected {
  readonly channel: ChannelModel;
  readonly signals: number[] = Array.from({ length: slots }, (_, slot) => slot);
  readonly iterations = new Map<number, ModelIteration>();
  private ids = 0;

  constructor(kind: Kind) {
    this.channel = new ChannelModel(kind);
  }

  newId(): number {
    return this.ids++;
  }

  signal(slot: number | undefined): number | undefined {
    return slot === undefined ? undefined : this.signals[slot]!;
  }
}

/** The channel under test, with everything that has come out of it. */
export class Actual {
  readonly channel: Channel<number>;
  readonly dropped: number[] = [];
  readonly controllers: AbortController[] = Array.from({ length: slots }, () => new AbortController());
  readonly iterations = new Map<number, AsyncIterator<number>>();
  log: Pick<Settlement, 'id' | 'outcome'>[] = [];
  unsettled = 0;
  private readonly reasons = new Map<unknown, string>(
    [...completionErrors].map(([name, error]) => [error, name]),
  );

  constructor({ capacity, fullMode, isUrgent }: Kind) {
    const onDropped = (item: number): void => void this.dropped.push(item);
    const options = { capacity, fullMode, onDropped };
    if (isUrgent)
      this.channel = createPriorityChannel({ compare: byThirds, ...(capacity === Infinity ? {} : options) });
    else this.channel = capacity === Infinity ? createUnboundedChannel() : createBoundedChannel(options);
    this.track('completion', this.channel.reader.completion);
  }

  options(signal: number | undefined): WaitOptions | undefined {
    return signal === undefined ? undefined : { signal: this.controllers[signal]!.signal };
  }

  abort(signal: number): void {
    const reason = new Error(`reason ${signal}`);
    this.reasons.set(reason, reason.message);
    this.controllers[signal]!.abort(reason);
  }

  iterate(signal: number | undefined): AsyncIterator<number> {
    const { reader } = this.channel;
    const all = signal === undefined ? reader : reader.readAll(this.options(signal));
    return all[Symbol.asyncIterator]();
  }

  track(id: Settlement['id'], promise: Promise<unknown>): void {
    this.unsettled += 1;
    const note = (outcome: string): void => {
      this.unsettled -= 1;
      this.log.push({ id, outcome });
    };
    promise.then(
      (value) => note(inWords(value)),
      (error: unknown) => note(this.inWords(error)),
    );
  }

  inWords(error: unknown): string {
    const name = (reason: unknown): string =>
      reason === undefined ? 'undefined' : (this.reasons.get(reason) ?? `unknown ${String(reason)}`);
    return error instanceof ChannelClosedError ? `closed: ${name(error.cause)}` : `rejected: ${name(error)}`;
  }
}

function inWords(value: unknown): string {
  if (value === undefined) return 'done';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return `item ${value}`;
  const { done, value: item } = value as IteratorResult<number>;
  return done === true ? 'end' : `item ${item}`;
}

/** Does the same to both, and tells what each one said at once. */
export type Act = (expected: Expected, actual: Actual) => readonly [unknown, unknown] | void;

export class Step implements fc.AsyncCommand<Expected, Actual> {
  constructor(
    private readonly name: string,
    private readonly act: Act,
    /** Whether promises are given the time to settle before the next step. */
    private readonly pauses: boolean,
  ) {}

  check(): boolean {
    return true;
  }

  async run(expected: Expected, actual: Actual): Promise<void> {
    const [said, heard] = this.act(expected, actual) ?? [];
    const { channel } = expected;
    assert.equal(
      inState(actual.channel.reader.count, actual.channel.reader.tryPeek(), actual.dropped, heard),
      inState(channel.count, channel.peek(), channel.dropped, said),
    );
    if (this.pauses) await expectSettled(expected, actual);
  }

  toString(): string {
    return this.pauses ? `${this.name};` : this.name;
  }
}

function inState(count: number, next: unknown, dropped: readonly number[], answer: unknown): string {
  return `${count} items, next ${String(next)}, dropped ${dropped.join()}, answer ${String(answer)}`;
}

/** Everybody who should have settled since the last time has, in the order of their line, and nobody else. */
async function expectSettled(expected: Expected, actual: Actual): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
  const model = expected.channel;
  const lineOf = new Map(model.log.map(({ id, line }) => [id, line]));
  assert.equal(inLines(actual.log, lineOf), inLines(model.log, lineOf));
  assert.equal(actual.unsettled - (model.isDrained ? 0 : 1), model.waiting.length);
  model.log = [];
  actual.log = [];
  // One listener on a signal while somebody waits under it, however many do.
  const watched = new Set(model.waiting.map(({ signal }) => signal));
  const listeners = actual.controllers.map(({ signal }) => getEventListeners(signal, 'abort').length);
  assert.deepEqual(
    listeners,
    actual.controllers.map((_, signal) => (watched.has(signal) ? 1 : 0)),
  );
}

/** Completion counts in every line, because it settles before all who are released with it. */
function inLines(log: Actual['log'], lineOf: ReadonlyMap<Settlement['id'], Settlement['line']>): string {
  const inWords = ({ id, outcome }: Actual['log'][number]): string => `${id} ${outcome}`;
  const inLine = lines.map((line) => {
    const settled = log.filter(({ id }) => [line, 'all'].includes(lineOf.get(id) ?? ''));
    return `${line}: ${settled.map(inWords).join(', ')}`;
  });
  // Those who did not wait are in no line: a promise that another one was made from settles a little later.
  const others = log.filter(({ id }) => ['none', undefined].includes(lineOf.get(id)));
  return [...inLine, `others: ${others.map(inWords).toSorted().join(', ')}`].join('\n');
}

/** Plays the commands on a channel and on its model, then ends both and checks what is true of every channel. */
export async function play(kind: Kind, plan: Iterable<fc.AsyncCommand<Expected, Actual>>): Promise<void> {
  const [expected, actual] = [new Expected(kind), new Actual(kind)];
  await fc.asyncModelRun(() => ({ model: expected, real: actual }), plan);
  const model = expected.channel;
  model.tryComplete(undefined);
  actual.channel.writer.tryComplete();
  while (model.count > 0) assert.equal(actual.channel.reader.tryRead(), model.tryRead());
  await expectSettled(expected, actual);
  assert.deepEqual([actual.unsettled, actual.channel.reader.tryRead()], [0, undefined]);
  // The model itself: what was accepted is delivered or dropped, once, and in order where there is an order.
  assert.deepEqual(ascending([...model.delivered, ...model.dropped]), ascending(model.accepted));
  if (!kind.isUrgent) assert.deepEqual(model.delivered, ascending(model.delivered));
}

function ascending(items: readonly number[]): number[] {
  return items.toSorted((a, b) => a - b);
}
