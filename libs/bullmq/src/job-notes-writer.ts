import type { RedisQueueBackend } from 'bullmq';
import type { TaskLog, TaskProgress } from 'nestjs-nightshift';
import { fromLogLine } from './job-record.js';
import type { RedisSession } from './redis-session.js';

interface Noted {
  readonly log: TaskLog;
  written: number;
  progress: TaskProgress | undefined;
}

/** How many lines of a log are kept. */
const linesKept = 100;

/** Writes down what running tasks say of themselves, where BullMQ keeps that: now and then, and when they end. */
export class JobNotesWriter {
  private readonly running = new Map<string, Noted>();

  constructor(private readonly session: RedisSession) {}

  begin(id: string, log: TaskLog): void {
    this.running.set(id, { log, written: 0, progress: undefined });
  }

  flush(backend: RedisQueueBackend): void {
    for (const [id, noted] of this.running) if (hasNews(noted)) void this.write(id, noted, backend);
  }

  /** @returns `undefined` when there is nothing left to write, which is the usual thing */
  end(id: string, backend: RedisQueueBackend): Promise<void> | undefined {
    const noted = this.running.get(id);
    this.running.delete(id);
    return noted !== undefined && hasNews(noted) ? this.write(id, noted, backend) : undefined;
  }

  private async write(id: string, noted: Noted, backend: RedisQueueBackend): Promise<void> {
    const { log } = noted;
    const count = Math.min(log.written - noted.written, linesKept);
    const lines = count === 0 ? [] : log.lines.slice(-count);
    const progress = log.progress === noted.progress ? undefined : log.progress;
    noted.written = log.written;
    noted.progress = log.progress;
    try {
      await this.session.reach('store what a task said', async () => {
        const told = lines.map((line) => backend.addLog(id, fromLogLine(line), linesKept));
        if (progress !== undefined) {
          const { value, message, at } = progress;
          await backend.updateProgress(id, {
            value,
            ...(message !== undefined && { message }),
            at: at.getTime(),
          });
        }
        await Promise.all(told);
      });
    } catch (error) {
      this.session.fail('store what a task said', error);
    }
  }
}

function hasNews({ log, written, progress }: Noted): boolean {
  return log.written > written || log.progress !== progress;
}
