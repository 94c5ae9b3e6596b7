import type { ResolvedTaskFilter } from 'nestjs-nightshift';
import type { SqliteValue } from './driver.js';
import { parseId } from './task-id.js';

/** A condition of SQL with its values. */
export interface Condition {
  readonly text: string;
  readonly values: readonly SqliteValue[];
}

/** Which rows a filter means. */
export function conditionOf(queue: string, filter: Partial<ResolvedTaskFilter>): Condition {
  const parts: Condition[] = [{ text: 'queue = ?', values: [queue] }];
  const add = (text: string, ...values: SqliteValue[]): void => void parts.push({ text, values });
  const { ids, states, name, tag, error, enqueuedAfterMs, enqueuedBeforeMs } = filter;
  if (ids !== undefined) {
    const keys = ids.flatMap((id) => parseId(id) ?? []);
    // As rows and not one by one, for SQLite takes only so many values.
    add(
      `(seq, nonce) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
      JSON.stringify(keys.map(({ seq, nonce }) => [seq, nonce])),
    );
  }
  if (states !== undefined) add(`state IN (${states.map(() => '?').join(', ')})`, ...states);
  if (name !== undefined) add('(name = ? OR definition = ?)', name, name);
  if (tag !== undefined) add('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)', tag);
  if (error !== undefined)
    add(
      `(instr(lower(error ->> '$.name'), ?) > 0 OR instr(lower(error ->> '$.message'), ?) > 0)`,
      error,
      error,
    );
  if (enqueuedAfterMs !== undefined) add('enqueued_at >= ?', enqueuedAfterMs);
  if (enqueuedBeforeMs !== undefined) add('enqueued_at < ?', enqueuedBeforeMs);
  return {
    text: parts.map(({ text }) => text).join(' AND '),
    values: parts.flatMap(({ values }) => values),
  };
}
