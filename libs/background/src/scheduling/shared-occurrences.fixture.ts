import { gate } from '../gate.fixture.js';
import type { OccurrenceClaim, OccurrenceStorage } from '../hosting/occurrence-storage.js';

type Operation = 'latest' | 'claim' | 'complete' | 'release';

interface Kept {
  readonly owner: ProcessOccurrences;
  isDone: boolean;
}

/** A storage that several processes share, each through a handle of its own. */
export class SharedOccurrences {
  readonly processes: ProcessOccurrences[] = [];
  /** Each occurrence whose process died before it was completed, as often as one did. */
  readonly lost: number[] = [];
  private readonly services = new Map<string, Map<number, Kept>>();
  private readonly givenBack = new Map<string, Set<number>>();

  /** The handle of one more process. */
  process(): ProcessOccurrences {
    const process = new ProcessOccurrences(this);
    this.processes.push(process);
    return process;
  }

  latest(service: string): number | undefined {
    const dues = [...this.keptOf(service).keys()];
    return dues.length === 0 ? undefined : Math.max(...dues);
  }

  claim({ service, dueAtMs }: OccurrenceClaim, owner: ProcessOccurrences): boolean {
    const kept = this.keptOf(service);
    const present = kept.get(dueAtMs);
    if (present !== undefined) return present.owner === owner && !present.isDone;
    const isAhead = dueAtMs > (this.latest(service) ?? Number.NEGATIVE_INFINITY);
    if (!isAhead && this.givenBack.get(service)?.has(dueAtMs) !== true) return false;
    this.givenBack.get(service)?.delete(dueAtMs);
    kept.set(dueAtMs, { owner, isDone: false });
    return true;
  }

  complete({ service, dueAtMs }: OccurrenceClaim, owner: ProcessOccurrences): void {
    const present = this.keptOf(service).get(dueAtMs);
    if (present?.owner !== owner) throw new Error('completes what it does not hold'); // no process is taken for dead here
    present.isDone = true;
  }

  release({ service, dueAtMs }: OccurrenceClaim, owner: ProcessOccurrences): void {
    const present = this.keptOf(service).get(dueAtMs);
    if (present?.owner !== owner) return; // released before, and the answer got lost
    if (present.isDone) throw new Error('releases what it has completed');
    this.giveBack(service, dueAtMs);
    this.tellAll();
  }

  /** What a process held and had not completed. */
  die(owner: ProcessOccurrences): void {
    for (const [service, kept] of this.services)
      for (const [dueAtMs, one] of kept)
        if (one.owner === owner && !one.isDone) {
          this.giveBack(service, dueAtMs);
          this.lost.push(dueAtMs);
        }
    this.tellAll();
  }

  /** The occurrences that were claimed and neither completed nor given back. */
  get unfinished(): number {
    return [...this.services.values()].flatMap((kept) => [...kept.values()]).filter(({ isDone }) => !isDone)
      .length;
  }

  private giveBack(service: string, dueAtMs: number): void {
    this.keptOf(service).delete(dueAtMs);
    const givenBack = this.givenBack.get(service) ?? new Set();
    this.givenBack.set(service, givenBack.add(dueAtMs));
  }

  private tellAll(): void {
    for (const { listeners } of this.processes) for (const listener of listeners) listener();
  }

  private keptOf(service: string): Map<number, Kept> {
    const kept = this.services.get(service) ?? new Map<number, Kept>();
    this.services.set(service, kept);
    return kept;
  }
}

/** What one process has of it. Each call can be made to fail, or its answer be held back. */
export class ProcessOccurrences implements OccurrenceStorage {
  /** Every call: `'claim 00:01:00'`. */
  readonly calls: string[] = [];
  readonly listeners = new Set<() => void>();
  private readonly failures: Operation[] = [];
  private readonly losses: Operation[] = [];
  private readonly holds: { readonly operation: Operation; readonly opened: Promise<void> }[] = [];
  private isDead = false;

  constructor(private readonly shared: SharedOccurrences) {}

  /** The next calls of that kind reject, without effect. */
  fail(operation: Operation, times = 1): void {
    for (let time = 0; time < times; time += 1) this.failures.push(operation);
  }

  /** All further calls succeed. */
  heal(): void {
    this.failures.length = 0;
    this.losses.length = 0;
  }

  /** The next call of that kind has its effect, and rejects all the same. */
  lose(operation: Operation): void {
    this.losses.push(operation);
  }

  /** The next call of that kind has its effect at once, and its answer comes when the function is called. */
  hold(operation: Operation): () => void {
    const { opened, open } = gate();
    this.holds.push({ operation, opened });
    return open;
  }

  /** It answers no more, and what it held is given back. */
  die(): void {
    this.isDead = true;
    this.listeners.clear();
    this.shared.die(this);
  }

  latest(service: string): Promise<number | undefined> {
    return this.call('latest', undefined, () => this.shared.latest(service));
  }

  claim(occurrence: OccurrenceClaim): Promise<boolean> {
    return this.call('claim', occurrence, () => this.shared.claim(occurrence, this));
  }

  complete(occurrence: OccurrenceClaim): Promise<void> {
    return this.call('complete', occurrence, () => this.shared.complete(occurrence, this));
  }

  release(occurrence: OccurrenceClaim): Promise<void> {
    return this.call('release', occurrence, () => this.shared.release(occurrence, this));
  }

  onReleased(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private async call<T>(
    operation: Operation,
    occurrence: OccurrenceClaim | undefined,
    effect: () => T,
  ): Promise<T> {
    if (this.isDead) return new Promise<never>(() => {});
    const due = occurrence && new Date(occurrence.dueAtMs).toISOString().slice(11, 19);
    this.calls.push(due === undefined ? operation : `${operation} ${due}`);
    const isLost = take(this.losses, (one) => one === operation) !== undefined;
    const fails = take(this.failures, (one) => one === operation) !== undefined;
    const answer = fails ? undefined : effect();
    await take(this.holds, (one) => one.operation === operation)?.opened;
    if (isLost || fails) throw new Error(`no ${operation}`);
    return this.isDead ? new Promise<never>(() => {}) : (answer as T); // it does not fail
  }
}

/** The first that is meant, taken out. */
function take<T>(list: T[], isMeant: (one: T) => boolean): T | undefined {
  const index = list.findIndex(isMeant);
  return index === -1 ? undefined : list.splice(index, 1)[0];
}
