import type { FullMode } from './index.js';

/** Which channel: `isUrgent` when it is read in the order of {@link byThirds}. */
export interface Kind {
  readonly capacity: number;
  readonly fullMode: FullMode;
  readonly isUrgent: boolean;
}

/** An order in which many items are equal. */
export const byThirds = (a: number, b: number): number => (a % 3) - (b % 3);

export type Line = 'readers' | 'writers' | 'watchingReaders' | 'watchingWriters';
/** Settled: by whom, and with what. `line` is `'none'` for those who never had to wait. */
export interface Settlement {
  readonly id: number | 'completion';
  readonly line: Line | 'none' | 'all';
  readonly outcome: string;
}
/** An iteration: several steps of it may wait at once. */
export interface ModelIteration {
  phase: 'new' | 'running' | 'ended';
  readonly signal: number | undefined;
}
interface Waiting {
  readonly id: number;
  readonly line: Line;
  readonly signal: number | undefined;
  readonly item?: number;
  readonly iteration?: ModelIteration;
}

/**
 * What a channel does, said slowly: its items by arrival, those who wait by arrival, and whether it is completed.
 * Every operation either settles at once or stands in line; `log` says who has settled with what.
 */
export class ChannelModel {
  readonly items: number[] = [];
  readonly dropped: number[] = [];
  readonly accepted: number[] = [];
  readonly delivered: number[] = [];
  readonly aborted = new Set<number>();
  waiting: Waiting[] = [];
  log: Settlement[] = [];
  error: string | undefined = undefined;
  isCompleted = false;

  constructor(private readonly kind: Kind) {}

  get count(): number {
    return this.items.length;
  }

  get isDrained(): boolean {
    return this.isCompleted && this.items.length === 0;
  }

  peek(): number | undefined {
    const [first] = this.kind.isUrgent ? this.items.toSorted(byThirds) : this.items;
    return first ?? this.firstOf('writers')?.item;
  }

  tryRead(): number | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    this.delivered.push(item);
    if (this.items.includes(item)) this.items.splice(this.items.indexOf(item), 1);
    const writer = this.firstOf('writers');
    if (writer !== undefined) {
      // Of a rendezvous it is the very item that was read; otherwise it takes the place that has come free.
      if (writer.item !== item) this.items.push(writer.item!);
      this.accepted.push(writer.item!);
      this.settle(writer, 'done');
    } else this.settleAll('watchingWriters', 'true');
    if (this.isDrained) this.settleCompletion();
    return item;
  }

  tryWrite(item: number): boolean {
    if (this.isCompleted) return false;
    const { capacity, fullMode } = this.kind;
    const reader = this.firstOf('readers');
    const hasRoom = this.items.length < capacity;
    if (reader === undefined && !hasRoom && fullMode === 'wait') return false;
    this.accepted.push(item);
    if (reader !== undefined) {
      this.delivered.push(item);
      this.settle(reader, `item ${item}`);
    } else if (hasRoom) {
      this.items.push(item);
      this.settleAll('watchingReaders', 'true');
    } else if (capacity === 0 || fullMode === 'dropWrite') {
      this.dropped.push(item);
    } else {
      this.dropped.push(fullMode === 'dropOldest' ? this.items.shift()! : this.items.pop()!);
      this.items.push(item);
    }
    return true;
  }

  read(id: number, signal: number | undefined): void {
    if (this.isAborted(signal)) return this.answer(id, reasonOf(signal));
    const item = this.tryRead();
    if (item !== undefined) this.answer(id, `item ${item}`);
    else if (this.isDrained) this.answer(id, this.refusal);
    else this.addReader({ id, line: 'readers', signal });
  }

  write(id: number, item: number, signal: number | undefined): void {
    if (this.isAborted(signal)) this.answer(id, reasonOf(signal));
    else if (this.tryWrite(item)) this.answer(id, 'done');
    else if (this.isCompleted) this.answer(id, this.refusal);
    else {
      this.waiting.push({ id, line: 'writers', signal, item });
      this.settleAll('watchingReaders', 'true');
    }
  }

  waitToRead(id: number, signal: number | undefined): void {
    if (this.isAborted(signal)) this.answer(id, reasonOf(signal));
    else if (this.peek() !== undefined) this.answer(id, 'true');
    else if (this.isDrained) this.answer(id, this.lastAnswer);
    else this.waiting.push({ id, line: 'watchingReaders', signal });
  }

  waitToWrite(id: number, signal: number | undefined): void {
    const { capacity, fullMode } = this.kind;
    const canWrite =
      this.items.length < capacity || fullMode !== 'wait' || this.firstOf('readers') !== undefined;
    if (this.isAborted(signal)) this.answer(id, reasonOf(signal));
    else if (this.isCompleted) this.answer(id, this.lastAnswer);
    else if (canWrite) this.answer(id, 'true');
    else this.waiting.push({ id, line: 'watchingWriters', signal });
  }

  next(id: number, iteration: ModelIteration): void {
    const { phase, signal } = iteration;
    if (phase === 'ended') return this.answer(id, 'end');
    const item = phase === 'new' && this.isAborted(signal) ? undefined : this.tryRead();
    iteration.phase = 'running';
    if (item !== undefined) return this.answer(id, `item ${item}`);
    if (!this.isAborted(signal) && !this.isDrained)
      return this.addReader({ id, line: 'readers', signal, iteration });
    iteration.phase = 'ended';
    this.answer(id, this.isAborted(signal) ? reasonOf(signal) : endOf(this.lastAnswer));
  }

  leave(iteration: ModelIteration): void {
    iteration.phase = 'ended';
    for (const step of this.waiting.filter((waiting) => waiting.iteration === iteration))
      this.settle(step, 'end');
  }

  abort(signal: number): void {
    if (this.aborted.has(signal)) return;
    this.aborted.add(signal);
    for (const waiting of this.waiting.filter((other) => other.signal === signal)) {
      if (waiting.iteration !== undefined) waiting.iteration.phase = 'ended';
      this.settle(waiting, reasonOf(signal));
    }
  }

  tryComplete(error: string | undefined): boolean {
    if (this.isCompleted) return false;
    this.isCompleted = true;
    this.error = error;
    if (this.isDrained) this.settleCompletion();
    for (const waiting of this.waiting) {
      const { line, iteration } = waiting;
      if (iteration !== undefined) {
        iteration.phase = 'ended';
        this.settle(waiting, endOf(this.lastAnswer));
      } else this.settle(waiting, line === 'readers' || line === 'writers' ? this.refusal : this.lastAnswer);
    }
    return true;
  }

  /** What a read or a write of a completed channel is refused with. */
  get refusal(): string {
    return this.error === 'AbortError' ? 'rejected: AbortError' : `closed: ${this.error}`;
  }

  private get lastAnswer(): string {
    return this.error === undefined ? 'false' : `rejected: ${this.error}`;
  }

  private isAborted(signal: number | undefined): boolean {
    return signal !== undefined && this.aborted.has(signal);
  }

  private firstOf(line: Line): Waiting | undefined {
    return this.waiting.find((waiting) => waiting.line === line);
  }

  private addReader(reader: Waiting): void {
    this.waiting.push(reader);
    this.settleAll('watchingWriters', 'true');
  }

  private answer(id: number, outcome: string): void {
    this.log.push({ id, line: 'none', outcome });
  }

  private settle(waiting: Waiting, outcome: string): void {
    this.waiting = this.waiting.filter((other) => other !== waiting);
    this.log.push({ id: waiting.id, line: waiting.line, outcome });
  }

  private settleAll(line: Line, outcome: string): void {
    for (const waiting of this.waiting.filter((other) => other.line === line)) this.settle(waiting, outcome);
  }

  private settleCompletion(): void {
    const outcome = this.error === undefined ? 'done' : `rejected: ${this.error}`;
    this.log.push({ id: 'completion', line: 'all', outcome });
  }
}

export const reasonOf = (signal: number | undefined): string => `rejected: reason ${signal}`;

function endOf(lastAnswer: string): string {
  return lastAnswer === 'false' ? 'end' : lastAnswer;
}
