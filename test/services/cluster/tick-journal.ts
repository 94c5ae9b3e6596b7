import { readFileSync } from 'node:fs';

export interface TickReport {
  /** How many occurrences were run to their end. */
  readonly completed: number;
  /** How many times one was begun again, because the process that ran it had been killed. */
  readonly begunAgain: number;
  /** How many were cut short by a kill, and not begun again, for a later one had been claimed by then. */
  readonly cutShort: number;
  /** How many nobody began: whoever had claimed it was killed before, or the machine kept all from it. */
  readonly unseen: number;
  /** What must never be seen, in words. */
  readonly faults: readonly string[];
}

interface Occurrence {
  readonly dueAtMs: number;
  runner: string;
  ends: number;
  lateMs: number;
}

/** Goes through what processes with exclusive ticks have written down. */
class TickJournal {
  readonly faults: string[] = [];
  private readonly occurrences = new Map<number, Occurrence>();
  private readonly killedAtMs = new Map<string, number>();
  /** Those whose event loop stood still, so that others may have taken them for dead. */
  private readonly stalled = new Set<string>();
  private readonly suspicions: { readonly runner: string; readonly what: string }[] = [];
  private begunAgain = 0;

  constructor(private readonly everyMs: number) {}

  note(line: string): void {
    const [what, first = '', pid = '', at] = line.split(' ');
    if (what === 'kill') this.killedAtMs.set(first, Number(pid));
    else if (what === 'stall') this.stalled.add(first);
    else if (what === 'begin') this.begin(Number(first), pid, Number(at));
    else if (what === 'end') this.occurrences.get(Number(first))!.ends += 1;
  }

  report(): TickReport {
    for (const { runner, what } of this.suspicions) if (!this.stalled.has(runner)) this.faults.push(what);
    const all = [...this.occurrences.values()].toSorted((a, b) => a.dueAtMs - b.dueAtMs);
    for (const { dueAtMs, runner, ends } of all) {
      if (ends === 0 && !this.killedAtMs.has(runner))
        this.faults.push(`${dueAtMs} did not end in ${runner}, which was not killed`);
    }
    return {
      unseen: this.countUnseen(all),
      faults: this.faults,
      begunAgain: this.begunAgain,
      completed: all.filter(({ ends }) => ends > 0).length,
      cutShort: all.filter(({ ends }) => ends === 0).length,
    };
  }

  private begin(dueAtMs: number, pid: string, atMs: number): void {
    const known = this.occurrences.get(dueAtMs);
    if (known === undefined) {
      this.occurrences.set(dueAtMs, { dueAtMs, runner: pid, ends: 0, lateMs: atMs - dueAtMs });
      return;
    }
    this.begunAgain += 1;
    const { runner, ends } = known;
    // One that was killed may have ended its tick and not lived to say so to the others.
    if (!this.killedAtMs.has(runner)) {
      const when = ends > 0 ? `after it had ended in ${runner}` : `while ${runner} ran it`;
      this.suspicions.push({ runner, what: `${dueAtMs} began in ${pid} ${when}` });
    }
    known.runner = pid;
  }

  private countUnseen(all: readonly Occurrence[]): number {
    let unseen = 0;
    for (const [i, { dueAtMs, lateMs }] of all.entries()) {
      const previous = all[i - 1];
      if (previous === undefined) continue;
      for (let missing = previous.dueAtMs + this.everyMs; missing < dueAtMs; missing += this.everyMs) {
        unseen += 1;
        const isLate = Math.max(lateMs, previous.lateMs) > this.everyMs / 2;
        if (!isLate && !this.isNearKill(missing)) this.faults.push(`${missing} was run by nobody`);
      }
    }
    return unseen;
  }

  /** Whether somebody may have claimed it and not lived to begin it. */
  private isNearKill(dueAtMs: number): boolean {
    return [...this.killedAtMs.values()].some((at) => Math.abs(at - dueAtMs) < this.everyMs);
  }
}

/** What the journal at `path` says of ticks. */
export function readTicks(path: string, everyMs: number): TickReport {
  const journal = new TickJournal(everyMs);
  for (const line of readFileSync(path, 'utf8').split('\n')) journal.note(line);
  return journal.report();
}
