import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { JournalReader, type JournalReport } from './journal-reader.js';

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
    this.note('kill', pid, Date.now());
  }

  /** Before the signal is sent: what waits now is for others to run. */
  stopping(pid: number): void {
    this.note('stopping', pid);
  }

  /**
   * It cannot give a sign of life from now on, though it lives: what it has in hand, and what it begins until it is
   * {@link whole} again, may be begun again by others.
   */
  cutOff(pid: number): void {
    this.note('cutOff', pid, Date.now());
  }

  whole(pid: number): void {
    this.note('whole', pid);
  }

  read(): JournalReport {
    const reader = new JournalReader();
    for (const line of readFileSync(this.path, 'utf8').split('\n')) reader.note(line);
    return reader.report();
  }

  [Symbol.dispose](): void {
    closeSync(this.file);
  }

  private note(...words: readonly (string | number)[]): void {
    writeSync(this.file, `${words.join(' ')}\n`);
  }
}
