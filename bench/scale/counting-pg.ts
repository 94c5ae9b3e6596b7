import { Client, Pool, type ClientConfig } from 'pg';
import type { Tally } from './tally.js';

const clashCodes: readonly unknown[] = ['40P01', '40001', '55P03'];
/** As many as an engine opens for itself. */
const connections = 6;

type Query = (...args: unknown[]) => unknown;

/** A pool like that of the engine, which counts what is asked through it. */
export function countingPool(connectionString: string, tally: Tally): Pool {
  class CountingClient extends Client {
    constructor(options: ClientConfig) {
      super(options);
      const query = this.query.bind(this) as Query;
      this.query = ((...args: unknown[]) => {
        const answer = query(...args);
        if (answer instanceof Promise) count(tally, String(args[0]), args[1], answer);
        return answer;
      }) as never;
    }
  }
  return new Pool({ connectionString, max: connections, Client: CountingClient as never });
}

function count(tally: Tally, text: string, values: unknown, answer: Promise<unknown>): void {
  const kind = kindOf(text);
  tally.calls[kind] = (tally.calls[kind] ?? 0) + 1;
  void note(tally, answer, kind === 'work' && (values as unknown[]).at(-1) !== null);
}

async function note(tally: Tally, answer: Promise<unknown>, isClaim: boolean): Promise<void> {
  try {
    const result = await answer;
    if (!isClaim) return;
    const [row] = (result as { rows: { answer: { claims: { batches: unknown[] }[] } }[] }).rows;
    for (const { batches } of row!.answer.claims) if (batches.length === 0) tally.emptyClaims += 1;
  } catch (error) {
    if (clashCodes.includes((error as { code?: unknown }).code)) tally.clashes += 1;
  }
}

/** What a statement of ours is for: the function of the schema that it calls, or what it does to which table. */
export function kindOf(text: string): string {
  if (text.includes('pg_notify')) return 'notify';
  const [, verb = '', select, name = ''] = text.match(/^\s*(\w+)[^"]*?(SELECT\s)?[^"]*"[^"]+"\.(\w+)/) ?? [];
  if (verb === '') return text.trim().split(/\s/)[0]!.toLowerCase();
  return /^\s*SELECT "/.test(text) && select === undefined ? name : `${verb.toLowerCase()} ${name}`;
}
