import type { KeptOccurrence, Occurrence } from './occurrence.js';
import type { OccurrenceRecord } from './occurrence-record.js';

/** Whom the gate tells what became of an occurrence. */
export interface GateOwner {
  /** It is this process's to run. */
  won(occurrence: KeptOccurrence): void;
  /** Another process has it, it could not be claimed, or a newer one took its place. */
  lost(occurrence: Occurrence, because: 'exclusive' | 'storage' | 'overlap'): void;
  /** It is this process's, and came when the gate had been closed. */
  late(occurrence: KeptOccurrence): void;
  /** It has waited while the one before was being claimed. */
  next(occurrence: Occurrence): void;
}

/** Those who stand at the gate between two closings of it. */
interface Line {
  asking: number;
  waiting?: KeptOccurrence | undefined;
}

/** Stands before the ticks of an exclusive service, and lets pass those whose occurrence this process has claimed. */
export class ExclusiveGate {
  private line: Line = { asking: 0 };

  /** @param sideBySide whether one is claimed while another is; otherwise it waits, and the newest is the one that does */
  constructor(
    private readonly record: OccurrenceRecord,
    private readonly sideBySide: boolean,
    private readonly owner: GateOwner,
  ) {}

  enter(occurrence: KeptOccurrence): void {
    const { line } = this;
    if (line.asking === 0 || this.sideBySide) return this.ask(line, occurrence);
    if (line.waiting !== undefined) this.owner.lost(line.waiting, 'overlap');
    line.waiting = occurrence;
  }

  /** Whether it waits for the claim of another. */
  isWaiting(dueAtMs: number): boolean {
    return this.line.waiting?.dueAtMs === dueAtMs;
  }

  /** Sends away the one that waits. What is being claimed goes on. */
  dismiss(): void {
    const { waiting } = this.line;
    this.line.waiting = undefined;
    if (waiting !== undefined) this.owner.lost(waiting, 'overlap');
  }

  /** Dismisses, and from now on lets pass nothing that has been asked for so far. */
  close(): void {
    this.dismiss();
    this.line = { asking: 0 };
  }

  private ask(line: Line, occurrence: KeptOccurrence): void {
    line.asking += 1;
    this.record.claim(occurrence.dueAtMs, (isWon) => {
      line.asking -= 1;
      if (isWon !== true) this.owner.lost(occurrence, isWon === false ? 'exclusive' : 'storage');
      else this.owner[line === this.line ? 'won' : 'late']({ ...occurrence, isClaimed: true });
      const { waiting } = line;
      line.waiting = undefined;
      if (waiting !== undefined) this.owner.next(waiting);
    });
  }
}
