import { openSync, readFileSync, writeSync, closeSync } from 'node:fs';

/** One attempt of a task, as it was written down when it began. */
interface Run {
  readonly pid: string;
  readonly attempt: number;
  readonly key: string;
  outcome: 'none' | 'end' | 'fail';
}

/** What the journal of many processes says. */
export interface JournalReport {
  /** The ids of the tasks whose `enqueue()` had resolved. */
  readonly acknowledged: ReadonlySet<string>;
  readonly starts: number;
  /** How many attempts began again because their process was killed. */
  readonly reruns: number;
  /** The most that one killed process had in hand. */
  readonly mostRerunsOfOne: number;
  /** What must never be seen, in words. */
  readonly faults: readonly string[];
}

/**
 * What all processes write to, each line at once, so that the order of the lines is the order of what happened. It is written
 * to the system and not to the disk, which a process that is killed takes nothing back from.
 */
export class Journal implements Disposable {
  private readonly file: number;

  constructor(readonly path: string) {
    this.file = openSync(path, 'a');
  }

  /** Before the signal is sent: what the process has in hand from now on may be begun again by others. */
  killed(pid: number): void {
    writeSync(this.file, `kill ${pid}\n`);
  }

  read(): JournalReport {
    const reader = new JournalReader();
    for (const line of readFileSync(this.path, 'utf8').split('\n')) reader.note(line);
    return reader.report();
  }

  [Symbol.dispose](): void {
    closeSync(this.file);
  }
}

class JournalReader {
  private readonly acknowledged = new Set<string>();
  private readonly killed = new Set<string>();
  private readonly done = new Set<string>();
  private readonly lastRuns = new Map<string, Run>();
  private readonly openByKey = new Map<string, Run>();
  private readonly rerunsOf = new Map<string, number>();
  private readonly faults: string[] = [];
  private starts = 0;

  note(line: string): void {
    const [what, first = '', ...rest] = line.split(' ');
    switch (what) {
      case 'kill':
        return void this.killed.add(first);
      case 'ack':
        return void this.acknowledged.add(first);
      case 'done':
        return void this.done.add(first);
      case 'start':
        return this.begin(first, { attempt: Number(rest[0]), pid: rest[1]!, key: rest[2]!, outcome: 'none' });
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
    const { acknowledged, starts, faults, rerunsOf } = this;
    const counts = [...rerunsOf.values()];
    return {
      acknowledged,
      starts,
      faults,
      reruns: counts.reduce((sum, count) => sum + count, 0),
      mostRerunsOfOne: Math.max(0, ...counts),
    };
  }

  private begin(id: string, run: Run): void {
    this.starts += 1;
    const last = this.lastRuns.get(id);
    this.lastRuns.set(id, run);
    if (this.done.has(id)) this.faults.push(`${id} began after its end was stored`);
    if (last !== undefined) this.beginAgain(id, last, run);
    if (run.key === '-') return;
    const other = this.openByKey.get(run.key);
    if (other?.outcome === 'none' && !this.killed.has(other.pid))
      this.faults.push(`${id} began while another of ${run.key} ran in ${other.pid}`);
    this.openByKey.set(run.key, run);
  }

  private beginAgain(id: string, last: Run, run: Run): void {
    const what = `${id} began its attempt ${run.attempt} in ${run.pid} after ${last.attempt} in ${last.pid}`;
    if (last.outcome === 'fail' && run.attempt === last.attempt + 1) return;
    if (run.attempt !== last.attempt) this.faults.push(`${what} (${last.outcome})`);
    else if (!this.killed.has(last.pid)) this.faults.push(`${what}, which was not killed`);
    else this.rerunsOf.set(last.pid, (this.rerunsOf.get(last.pid) ?? 0) + 1);
  }

  private end(id: string, outcome: 'end' | 'fail'): void {
    const run = this.lastRuns.get(id);
    if (run === undefined) this.faults.push(`${id} ended without having begun`);
    else run.outcome = outcome;
  }
}
