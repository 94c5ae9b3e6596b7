import { CatchUp, type MissedOccurrence } from './catch-up.js';
import { ExclusiveGate, type GateOwner } from './exclusive-gate.js';
import { isKept, type KeptOccurrence, type Occurrence } from './occurrence.js';
import { OccurrenceRecord, type OccurrenceRecordDependencies } from './occurrence-record.js';
import type { ResolvedTickOptions } from './background-service.options.js';
import type { DueTick } from './schedule-timer.js';
import type { Trigger } from './trigger.js';

/** What the keeper tells the runner of the ticks. */
export interface KeeperOwner extends GateOwner {
  /** Was due while nobody ran it. */
  missed(occurrence: KeptOccurrence): void;
}

export interface OccurrenceKeeperDependencies extends OccurrenceRecordDependencies {
  readonly options: Pick<ResolvedTickOptions, 'exclusive' | 'overlap' | 'misfire' | 'runOnStart'>;
  readonly trigger: () => Trigger;
  readonly owner: KeeperOwner;
}

/**
 * Keeps the occurrences of one service in a storage. It records which have run, lets those of an exclusive service pass
 * only when this process has claimed them, and finds the ones that were missed.
 */
export class OccurrenceKeeper {
  private readonly record: OccurrenceRecord;
  private readonly gate: ExclusiveGate | undefined;
  private readonly catchUp: CatchUp | undefined;
  /** The newest that this process has begun, or has left to others. */
  private newestMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly dependencies: OccurrenceKeeperDependencies) {
    const { options, owner } = dependencies;
    const { exclusive } = options;
    this.record = new OccurrenceRecord(dependencies);
    if (exclusive) this.gate = new ExclusiveGate(this.record, options.overlap === 'parallel', owner);
    // A tick at the start is one that catches up.
    if (options.misfire === 'fireOnce' && !options.runOnStart)
      this.catchUp = new CatchUp(this.record, {
        ...dependencies,
        heedsReleases: exclusive,
        onMissed: (missed) => this.onMissed(missed),
        onLooked: dependencies.onIdle,
      });
  }

  /** Whether something is under way that a stop waits for. */
  get isBusy(): boolean {
    return this.record.isBusy;
  }

  /** Whether occurrences may come that the timer does not tell of. */
  get isWatching(): boolean {
    return this.catchUp?.isWatching ?? false;
  }

  get inFlight(): readonly string[] {
    return this.record.inFlight;
  }

  /** A due tick, with the time under which it is known here. */
  occurrenceOf({ scheduledAt, passed }: DueTick): Occurrence {
    const isOnWall = this.dependencies.trigger().axis === 'wall';
    return { scheduledAt, passed, dueAtMs: isOnWall ? scheduledAt.getTime() : undefined };
  }

  /** @returns whether the tick has to wait for its claim; it is then told by `owner` */
  holdsBack(occurrence: Occurrence): boolean {
    if (this.gate === undefined || !isKept(occurrence) || occurrence.isClaimed) return false;
    this.gate.enter(occurrence);
    return true;
  }

  /** Begins anew after {@link quiesce}. */
  open(): void {
    this.record.open();
  }

  /** The schedule begins. */
  begin(): void {
    this.catchUp?.begin();
  }

  /** The schedule goes on after a pause, or another takes its place. */
  goOn(): void {
    this.catchUp?.listen();
  }

  /** The next tick is due: it takes the place of whatever could not be claimed so far. */
  supersede(): void {
    this.record.supersede();
  }

  pause(): void {
    this.record.supersede();
    this.gate?.dismiss();
  }

  quiesce(): void {
    this.record.quiesce();
    this.catchUp?.end();
    this.gate?.close();
  }

  /** A tick begins. Nothing waits for the record of it. */
  noteBegin(occurrence: Occurrence): void {
    if (!isKept(occurrence)) return;
    this.newestMs = Math.max(this.newestMs, occurrence.dueAtMs);
    if (!occurrence.isClaimed) this.record.claim(occurrence.dueAtMs);
  }

  /** A tick has ended, or (`hasRun` is `false`) is left to other processes before it has begun. */
  noteEnd({ dueAtMs }: Occurrence, hasRun: boolean): void {
    if (dueAtMs === undefined) return;
    this.newestMs = Math.max(this.newestMs, dueAtMs);
    this.record.end(dueAtMs, hasRun);
  }

  /** Resolves when everything is recorded. */
  idle(): Promise<void> {
    return this.record.idle();
  }

  private onMissed({ due, passed }: MissedOccurrence): void {
    // What this process has had it does not take again: the storage may have answered before it heard of that.
    if (due <= this.newestMs || this.gate?.isWaiting(due)) return;
    this.dependencies.owner.missed({ scheduledAt: new Date(due), passed, dueAtMs: due });
  }
}
