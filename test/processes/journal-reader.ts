/** One attempt of a task, as it was written down when it began. */
interface Run {
  readonly pid: string;
  readonly attempt: number;
  readonly key: string;
  /** `NaN` when the journal does not tell. */
  readonly atMs: number;
  readonly line: number;
  outcome: 'none' | 'end' | 'fail';
  /** Whether its process was cut off meanwhile, so that others may begin it again. */
  isCutOff: boolean;
}

/** What is right only if the process of this run stood still after the run had begun. */
interface Suspicion {
  readonly run: Run;
  readonly what: string;
}

/** What the journal of many processes says. */
export interface JournalReport {
  /** The ids of the tasks whose `enqueue()` had resolved. */
  readonly acknowledged: ReadonlySet<string>;
  /** Those whose `result()` has resolved. */
  readonly done: ReadonlySet<string>;
  readonly starts: number;
  /** How many attempts began again because their process was killed, or cut off. */
  readonly reruns: number;
  /** How many because the event loop of their process stood still for so long that others took it for dead. */
  readonly rerunsAfterStall: number;
  /** The most that one killed process had in hand. */
  readonly mostRerunsOfOne: number;
  /** The longest time from the end of a process to the moment when a task of it began again. */
  readonly longestComebackMs: number;
  /** How many tasks waited, or were put off, when a process was told to stop: the others have them. */
  readonly handedOver: number;
  /** How often a process said that others had its task. */
  readonly superseded: number;
  /** What must never be seen, in words. */
  readonly faults: readonly string[];
}

/** Goes through the lines of a journal, in their order. */
export class JournalReader {
  private readonly acknowledged = new Set<string>();
  private readonly killed = new Map<string, number>();
  private readonly cutOff = new Map<string, number>();
  private readonly stalls = new Map<string, number>();
  private readonly done = new Set<string>();
  private readonly lastRuns = new Map<string, Run>();
  private readonly openByKey = new Map<string, Run>();
  private readonly rerunsOf = new Map<string, number>();
  private readonly faults: string[] = [];
  private readonly suspicions: Suspicion[] = [];
  private starts = 0;
  private lines = 0;
  private handedOver = 0;
  private superseded = 0;
  private longestComebackMs = 0;

  note(line: string): void {
    this.lines += 1;
    const [what, first = '', ...rest] = line.split(' ');
    switch (what) {
      case 'kill':
        return void this.killed.set(first, Number(rest[0]));
      case 'cutOff':
        return this.noteCutOff(first, Number(rest[0]));
      case 'whole':
        return void this.cutOff.delete(first);
      case 'stall':
        return void this.stalls.set(first, this.lines);
      case 'stopping':
        return this.handOver();
      case 'superseded':
        return void (this.superseded += 1);
      case 'ack':
        return void this.acknowledged.add(first);
      case 'done':
        return void this.done.add(first);
      case 'start':
        return this.begin(first, this.toRun(rest));
      case 'end':
      case 'fail':
        return this.end(first, what);
      case '':
        return undefined;
      default:
        return void this.faults.push(line);
    }
  }

  report(): JournalReport {
    const { acknowledged, done, starts, handedOver, superseded, longestComebackMs } = this;
    const excused = this.suspicions.filter(({ run }) => (this.stalls.get(run.pid) ?? 0) > run.line);
    const unexplained = this.suspicions.filter((each) => !excused.includes(each)).map(({ what }) => what);
    const counts = [...this.rerunsOf.values()];
    return {
      acknowledged,
      done,
      starts,
      handedOver,
      superseded,
      longestComebackMs,
      faults: [...this.faults, ...unexplained],
      rerunsAfterStall: excused.length,
      reruns: counts.reduce((sum, count) => sum + count, 0),
      mostRerunsOfOne: Math.max(0, ...counts),
    };
  }

  private toRun([attempt, pid, key, , at]: readonly string[]): Run {
    return {
      attempt: Number(attempt),
      pid: pid!,
      key: key!,
      atMs: Number(at),
      line: this.lines,
      outcome: 'none',
      isCutOff: this.cutOff.has(pid!),
    };
  }

  private begin(id: string, run: Run): void {
    this.starts += 1;
    const last = this.lastRuns.get(id);
    this.lastRuns.set(id, run);
    // It may have been fetched before, by a process that then stood still.
    const what = `${id} began in ${run.pid} after its end was stored`;
    if (this.done.has(id)) this.suspicions.push({ run: { ...run, line: 0 }, what });
    if (last !== undefined) this.beginAgain(id, last, run);
    if (run.key === '-') return;
    const other = this.openByKey.get(run.key);
    if (other?.outcome === 'none' && !this.mayBeginAgain(other))
      this.suspicions.push({
        run: other,
        what: `${id} began while another of ${run.key} ran in ${other.pid}`,
      });
    this.openByKey.set(run.key, run);
  }

  private beginAgain(id: string, last: Run, run: Run): void {
    const what = `${id} began its attempt ${run.attempt} in ${run.pid} after ${last.attempt} in ${last.pid}`;
    if (last.outcome === 'fail' && run.attempt === last.attempt + 1) return;
    if (run.attempt !== last.attempt) this.faults.push(`${what} (${last.outcome})`);
    else if (!this.mayBeginAgain(last))
      this.suspicions.push({ run: last, what: `${what}, which was not killed` });
    else this.countRerun(last.pid, run.atMs);
  }

  private mayBeginAgain({ pid, isCutOff }: Run): boolean {
    return isCutOff || this.killed.has(pid);
  }

  private countRerun(pid: string, atMs: number): void {
    this.rerunsOf.set(pid, (this.rerunsOf.get(pid) ?? 0) + 1);
    const comebackMs = atMs - (this.killed.get(pid) ?? Number.NaN);
    if (comebackMs > this.longestComebackMs) this.longestComebackMs = comebackMs;
  }

  private noteCutOff(pid: string, atMs: number): void {
    this.cutOff.set(pid, atMs);
    for (const [id, run] of this.lastRuns) if (run.pid === pid && !this.done.has(id)) run.isCutOff = true;
  }

  private handOver(): void {
    for (const id of this.acknowledged) if (!this.lastRuns.has(id)) this.handedOver += 1;
  }

  private end(id: string, outcome: 'end' | 'fail'): void {
    const run = this.lastRuns.get(id);
    if (run === undefined) this.faults.push(`${id} ended without having begun`);
    else run.outcome = outcome;
  }
}
