import type { ErrorRecord, Heartbeat, Look, RecoveryResult, WorkerId } from 'nestjs-nightshift';
import { untilNoClash } from './clash.js';
import type { Database } from './database.js';
import { quoteName } from './names.js';
import { toId, type TaskKey } from './task-id.js';

interface LookAnswer {
  readonly releases: number;
  readonly pausedQueues: readonly string[];
  readonly cancellations: readonly (TaskKey & { readonly queue: string; readonly error: string })[];
}

interface BeatAnswer {
  readonly isKnown: boolean;
  readonly workers: Heartbeat['workers'] | null;
  readonly look: LookAnswer;
}

interface RecoverAnswer {
  readonly tasks: readonly (TaskKey & {
    readonly queue: string;
    readonly name: string;
    readonly isDead: boolean;
  })[];
  readonly occurrences: number;
}

/** The processes that run tasks of this schema: who is alive, and what the dead have left. */
export class Workers {
  private readonly s: string;

  constructor(private readonly database: Database) {
    this.s = quoteName(database.schema);
  }

  async register(process: string, nowMs: number): Promise<WorkerId> {
    const [row] = await this.database.query<{ id: string }>(
      `INSERT INTO ${this.s}.workers (beat, process, since) VALUES (0, $1, $2) RETURNING id`,
      [process, nowMs],
    );
    return Number(row!.id);
  }

  async beat(worker: WorkerId): Promise<Heartbeat> {
    const { isKnown, workers, look } = await this.call<BeatAnswer>('beat($1)', [worker]);
    const { pausedQueues, cancellations } = look;
    return {
      isKnown,
      workers: workers ?? [],
      pausedQueues,
      cancellations: cancellations.map(toCancellation),
    };
  }

  async look(worker: WorkerId | undefined, version: number): Promise<Look> {
    const look = await this.call<LookAnswer>('look($1)', [worker ?? null]);
    return { ...look, version, cancellations: look.cancellations.map(toCancellation) };
  }

  async recover(
    workers: readonly WorkerId[],
    nowMs: number,
    maxInterruptions: number,
  ): Promise<RecoveryResult> {
    const values = [workers, nowMs, maxInterruptions];
    const { tasks, occurrences } = await this.call<RecoverAnswer>('recover($1, $2, $3)', values);
    return {
      tasks: tasks.map((task) => ({
        id: toId(task),
        queue: task.queue,
        name: task.name,
        isDead: task.isDead,
      })),
      occurrences,
    };
  }

  private async call<R>(call: string, values: readonly unknown[]): Promise<R> {
    const text = `SELECT ${this.s}.${call} AS answer`;
    const [row] = await untilNoClash(() => this.database.query<{ answer: R }>(text, values));
    return row!.answer;
  }
}

function toCancellation(row: LookAnswer['cancellations'][number]): Heartbeat['cancellations'][number] {
  return { queue: row.queue, id: toId(row), error: JSON.parse(row.error) as ErrorRecord };
}
