import { openSync, writeSync } from 'node:fs';

/** How often a process looks whether its event loop turns, and how much longer than that is a standstill. */
const look = { everyMs: 100, standstillMs: 400 } as const;

/** What one process writes into the journal of all: a line at once, before the next thing happens. */
export class Diary {
  private readonly file: number;

  constructor(path: string) {
    this.file = openSync(path, 'a');
    this.watchEventLoop();
  }

  note(...words: readonly (string | number)[]): void {
    writeSync(this.file, `${words.join(' ')}\n`);
  }

  /** Others may take a process for dead whose event loop stands still: that has to be seen in the journal. */
  private watchEventLoop(): void {
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      const lateMs = Math.round(now - last - look.everyMs);
      if (lateMs > look.standstillMs) this.note('stall', process.pid, lateMs);
      last = now;
    }, look.everyMs).unref();
  }
}
