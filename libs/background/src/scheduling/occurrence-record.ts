import type { Clock } from 'nestjs-nightshift/channels';
import type { BackgroundEvents } from '../events/background-events.js';
import type { EventDetails } from '../events/events.js';
import type { OccurrenceClaim, OccurrenceStorage } from '../hosting/occurrence-storage.js';
import { StorageCall } from './storage-call.js';

type Operation = EventDetails['occurrence.storageFailed']['operation'];

export interface OccurrenceRecordDependencies {
  /** The name of the service. */
  readonly name: string;
  readonly clock: Clock;
  readonly events: BackgroundEvents;
  readonly storage: OccurrenceStorage;
  /** Everything that was written has been answered. */
  readonly onIdle: () => void;
}

/** What a storage keeps of one service. Its failures are events, and it is asked again until it is given up. */
export class OccurrenceRecord {
  private readonly calls = new Map<StorageCall<unknown>, Operation>();
  /** Whether a claim was won, from the asking until it is completed or given back. */
  private readonly claims = new Map<number, Promise<boolean | undefined>>();
  /** What a stop waits for, by name. */
  private readonly pending = new Map<Promise<unknown>, string>();
  private isQuiet = false;

  constructor(private readonly dependencies: OccurrenceRecordDependencies) {}

  /** Whether something that changes the record is under way. */
  get isBusy(): boolean {
    return this.pending.size > 0;
  }

  /** What is under way, by name. */
  get inFlight(): readonly string[] {
    return [...this.pending.values()];
  }

  /** Whether this process has asked for the occurrence and not come to its end. */
  holds(dueAtMs: number): boolean {
    return this.claims.has(dueAtMs);
  }

  /** From now on nothing is asked again that fails; {@link open} takes that back. */
  quiesce(): void {
    this.isQuiet = true;
    for (const call of this.calls.keys()) call.giveUp();
  }

  open(): void {
    this.isQuiet = false;
  }

  /** The next occurrence is due, or none is wanted: claims and questions that go on failing come to their end. */
  supersede(): void {
    for (const [call, operation] of this.calls)
      if (operation === 'claim' || operation === 'latest') call.giveUp();
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.isBusy) await Promise.all(this.pending.keys());
  }

  /** @returns the answer; `undefined` when the question was given up without one */
  latest(): Promise<{ readonly answer: number | undefined } | undefined> {
    return this.call('latest', undefined, () => this.dependencies.storage.latest(this.dependencies.name));
  }

  /**
   * Asks for an occurrence.
   *
   * @param decide is told the answer, `undefined` when there is none, while a stop still waits
   */
  claim(dueAtMs: number, decide: (isWon: boolean | undefined) => void = () => {}): void {
    const answer = this.askFor(dueAtMs);
    this.claims.set(dueAtMs, answer);
    this.track('claim', dueAtMs, async () => {
      const isWon = await answer;
      if (isWon !== true) this.claims.delete(dueAtMs);
      decide(isWon);
    });
  }

  /** The tick of a claim is over: it ran, or its occurrence is left to others. Does nothing when the claim was not won. */
  end(dueAtMs: number, hasRun: boolean): void {
    const claim = this.claims.get(dueAtMs);
    if (claim === undefined) return;
    this.track(hasRun ? 'completion' : 'release', dueAtMs, () => this.settle(claim, dueAtMs, hasRun));
  }

  private async askFor(dueAtMs: number): Promise<boolean | undefined> {
    const { storage } = this.dependencies;
    const ended = await this.call('claim', dueAtMs, () => storage.claim(this.claimOf(dueAtMs)));
    return ended?.answer;
  }

  private async settle(claim: Promise<boolean | undefined>, dueAtMs: number, hasRun: boolean): Promise<void> {
    const { storage, events, name } = this.dependencies;
    if ((await claim) === true) {
      const of = this.claimOf(dueAtMs);
      if (!hasRun) events.emit('tick.released', { service: name, scheduledAt: new Date(dueAtMs) });
      await (hasRun
        ? this.call('complete', dueAtMs, () => storage.complete(of))
        : this.call('release', dueAtMs, () => storage.release(of)));
    }
    this.claims.delete(dueAtMs);
  }

  private async call<T>(
    operation: Operation,
    dueAtMs: number | undefined,
    ask: () => Promise<T>,
  ): Promise<{ readonly answer: T } | undefined> {
    const { name: service, clock, events } = this.dependencies;
    const scheduledAt = dueAtMs === undefined ? undefined : new Date(dueAtMs);
    const call = new StorageCall(clock, ask, (error, retryInMs) =>
      events.emit('occurrence.storageFailed', { service, operation, scheduledAt, error, retryInMs }),
    );
    if (this.isQuiet) call.giveUp();
    this.calls.set(call, operation);
    try {
      return await call.run();
    } finally {
      this.calls.delete(call);
    }
  }

  private track(what: string, dueAtMs: number, work: () => Promise<void>): void {
    const ended = work();
    this.pending.set(ended, `${what} of the tick due at ${new Date(dueAtMs).toISOString()}`);
    void this.untrack(ended);
  }

  private async untrack(work: Promise<void>): Promise<void> {
    await work;
    this.pending.delete(work);
    if (!this.isBusy) this.dependencies.onIdle();
  }

  private claimOf(dueAtMs: number): OccurrenceClaim {
    return { service: this.dependencies.name, dueAtMs };
  }
}
