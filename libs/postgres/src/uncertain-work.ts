import type { ClaimedTask, Settlement, WorkerId } from 'nestjs-nightshift';
import type { Database } from './database.js';
import { quoteName } from './names.js';
import { toAttempt } from './settlement-row.js';
import { seqOf } from './task-id.js';

/**
 * What a lost connection leaves open: whether the claim, or the settlement, that nobody heard the answer of has been done.
 * A task that was claimed so is this process's, which knows nothing of it; as long as the process lives, nobody else would have
 * it. So whatever the server says this process has, and it does not know of, is given back.
 */
export class UncertainWork {
  /** The tasks that this process was given and has not settled, each with the number of its claim. */
  private readonly inHand = new Map<number, number>();
  /** Whose claims were lost. */
  private readonly claimants = new Set<WorkerId>();
  /** Each by its task and claim: what was lost may have been stored, and the task begun again and ended meanwhile. */
  private readonly settlements = new Set<string>();
  private worker: WorkerId | undefined;
  private fenceNumber = 0;
  private readonly s: string;

  constructor(private readonly database: Database) {
    this.s = quoteName(database.schema);
  }

  /** The number of claims that are made now. */
  get fence(): number {
    return this.fenceNumber;
  }

  get hasSettlements(): boolean {
    return this.settlements.size > 0;
  }

  given(worker: WorkerId, tasks: readonly ClaimedTask[]): void {
    if (worker !== this.worker) this.inHand.clear(); // others have what it had under its old number
    this.worker = worker;
    for (const { id, claim } of tasks) this.inHand.set(seqOf(id), claim);
  }

  /** @returns the number of the task */
  settled({ id, claim }: Settlement): number {
    const seq = seqOf(id);
    if (this.inHand.get(seq) === claim) this.inHand.delete(seq);
    if (this.settlements.size > 0) this.settlements.delete(keyOf({ id, claim }));
    return seq;
  }

  claimLost(worker: WorkerId): void {
    this.claimants.add(worker);
  }

  settlementLost(settlement: Settlement): void {
    this.settlements.add(keyOf(settlement));
  }

  /** To be called before anything else is claimed. */
  async giveBackUnknown(): Promise<void> {
    for (const worker of this.claimants) {
      const known = worker === this.worker ? [...this.inHand] : [];
      const fence = this.fenceNumber + 1;
      await this.database.transaction(async (connection) => {
        await connection.query(`SELECT ${this.s}.take_keys_locks(NULL)`);
        // Waits for a claim that is still under way: it holds on to the worker's row.
        await connection.query(`SELECT FROM ${this.s}.workers WHERE id = $1 FOR UPDATE`, [worker]);
        await connection.query(`UPDATE ${this.s}.workers SET fence = $2 WHERE id = $1`, [worker, fence]);
        await connection.query(
          `WITH back AS (
             UPDATE ${this.s}.tasks SET state = 'waiting', worker = NULL
               WHERE worker = $1 AND state = 'active' AND NOT EXISTS (
                 SELECT FROM unnest($2::bigint[], $3::bigint[]) AS known (seq, claim)
                   WHERE known.seq = tasks.seq AND known.claim = tasks.claim) RETURNING queue, concurrency_key
           )
           SELECT ${this.s}.release_key(queue, concurrency_key, count(*)) FROM back
             WHERE concurrency_key IS NOT NULL GROUP BY queue, concurrency_key ORDER BY queue, concurrency_key`,
          [worker, known.map(([seq]) => seq), known.map(([, claim]) => claim)],
        );
      });
      this.fenceNumber = fence;
      this.claimants.delete(worker);
    }
  }

  /** @returns the numbers of the tasks whose settlement had taken effect when its answer was lost */
  async storedAmong(given: readonly Settlement[]): Promise<readonly number[]> {
    const stored: number[] = [];
    for (const settlement of given)
      if (this.settlements.has(keyOf(settlement)) && (await this.isStored(settlement)))
        stored.push(seqOf(settlement.id));
    return stored;
  }

  private async isStored({ id, claim, state, isKept, attempt }: Settlement): Promise<boolean> {
    const record = attempt && JSON.stringify([toAttempt(attempt)]);
    const [row] = await this.database.query<{ is_stored: boolean }>(
      `SELECT CASE WHEN $4::jsonb IS NULL THEN claim = $2 AND worker IS NULL AND state = $3
         ELSE coalesce(attempts @> $4, false) END AS is_stored
       FROM ${this.s}.tasks WHERE seq = $1`,
      [seqOf(id), claim, state, record],
    );
    return row === undefined ? !isKept : row.is_stored;
  }
}

function keyOf({ id, claim }: Pick<Settlement, 'id' | 'claim'>): string {
  return `${id} ${claim}`;
}
