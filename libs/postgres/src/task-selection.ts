import type { ResolvedTaskFilter } from 'nestjs-nightshift';
import { toPlain } from './names.js';
import { parseId } from './task-id.js';

/** A condition of SQL with its values. */
export interface Condition {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Which rows a filter means. Its values are `$1` and so on. */
export function conditionOf(queue: string, filter: Partial<ResolvedTaskFilter>): Condition {
  const values: unknown[] = [queue];
  const parts = ['queue = $1'];
  const add = (text: string, value: unknown): void => {
    values.push(value);
    parts.push(text.replaceAll('?', `$${values.length}`));
  };
  const { ids, states, name, tag, error, enqueuedAfterMs, enqueuedBeforeMs } = filter;
  if (ids !== undefined) {
    const keys = ids.flatMap((id) => parseId(id) ?? []);
    add(
      'seq = ANY(?::bigint[])',
      keys.map(({ seq }) => seq),
    );
    add("seq || '-' || nonce = ANY(?::text[])", [...ids].map(toPlain));
  }
  if (states !== undefined) {
    add('state = ANY(?::text[])', [...states]);
    // Without it the index of what has ended cannot be used.
    if (states.every((state) => endStates.includes(state))) parts.push('ended_at IS NOT NULL');
  }
  if (name !== undefined) add('(name = ? OR definition = ?)', toPlain(name));
  if (tag !== undefined) add('? = ANY(tags)', toPlain(tag));
  if (error !== undefined)
    add(
      `(strpos(lower(error::json ->> 'name'), ?) > 0 OR strpos(lower(error::json ->> 'message'), ?) > 0)`,
      toPlain(error),
    );
  if (enqueuedAfterMs !== undefined) add('enqueued_at >= ?', enqueuedAfterMs);
  if (enqueuedBeforeMs !== undefined) add('enqueued_at < ?', enqueuedBeforeMs);
  return { text: parts.join(' AND '), values };
}

/** The states of tasks that have ended. */
export const endStates: readonly string[] = ['completed', 'dead', 'discarded', 'cancelled', 'expired'];
