import { OptionsReader } from '../options-reader.js';
import type { TaskFilter, TaskQuery } from './task-record.js';
import { taskTransitions, type TaskState } from './task.js';

/** How many tasks a page has at the most, and how many when nothing is said. */
export const pageLimits = Object.freeze({ most: 1_000, usual: 50 });

/** A {@link TaskFilter} that has been checked. What is `undefined` does not restrict; an empty list lets nothing pass. */
export interface ResolvedTaskFilter {
  readonly ids: readonly string[] | undefined;
  readonly states: readonly TaskState[] | undefined;
  readonly name: string | undefined;
  readonly tag: string | undefined;
  /** In lower case. */
  readonly error: string | undefined;
  readonly enqueuedAfterMs: number | undefined;
  readonly enqueuedBeforeMs: number | undefined;
}

export interface ResolvedTaskQuery extends ResolvedTaskFilter {
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
  /** The place of the last task of the page before: see {@link toCursor}. */
  readonly after: number | undefined;
  /** Its id, in a store where several tasks can have one place. */
  readonly afterId: string | undefined;
}

/** What a filter looks at. Each is read only when the filter needs it. */
export interface FilteredTask {
  /** `undefined` when nobody has ever asked for it, so that nobody can know it. */
  readonly id: string | undefined;
  readonly name: string;
  readonly definition: string | undefined;
  readonly state: TaskState;
  readonly tags: readonly string[];
  readonly enqueuedAtMs: number;
  readonly error: { readonly name: string; readonly message: string } | undefined;
}

const filterKeys = [
  'ids',
  'states',
  'name',
  'tag',
  'error',
  'enqueuedAfter',
  'enqueuedBefore',
] as const satisfies readonly (keyof TaskFilter)[];

const queryKeys = [...filterKeys, 'limit', 'order', 'after'] as const satisfies readonly (keyof TaskQuery)[];

/**
 * @param path what to call the filter in messages
 * @throws InvalidOptionsError listing everything that is wrong
 */
export function resolveTaskFilter(filter: TaskFilter, path = 'filter'): ResolvedTaskFilter {
  const check = new OptionsReader<TaskFilter>(path, filter, filterKeys);
  const resolved = readFilter(check);
  check.finish();
  return resolved;
}

/** @throws InvalidOptionsError listing everything that is wrong */
export function resolveTaskQuery(query: TaskQuery, path = 'query'): ResolvedTaskQuery {
  const check = new OptionsReader<TaskQuery>(path, query, queryKeys);
  const resolved: ResolvedTaskQuery = {
    ...readFilter(check),
    limit: check.value('limit', pageLimits.usual, `a whole number from 1 to ${pageLimits.most}`, isLimit),
    order: check.oneOf('order', 'newest', ['newest', 'oldest']),
    ...readCursor(check),
  };
  check.finish();
  return resolved;
}

/**
 * Where a page ends, to be given back as `after`. `place` is what the tasks of a queue are ordered by: a whole number that
 * no two have and that a task keeps, so that the next page begins after it even if that task has gone. A store where two can
 * have the same orders those by their ids, and gives the `id` too.
 */
export function toCursor(place: number, id?: string): string {
  const beside = id === undefined ? '' : `.${Buffer.from(id).toString('base64url')}`;
  return `p${place.toString(36)}${beside}`;
}

/** Whether a task is one of those that a filter means. */
export function passes(filter: ResolvedTaskFilter, task: FilteredTask): boolean {
  const { ids, states, name, tag, error, enqueuedAfterMs, enqueuedBeforeMs } = filter;
  if (ids !== undefined && (task.id === undefined || !ids.includes(task.id))) return false;
  if (states !== undefined && !states.includes(task.state)) return false;
  if (name !== undefined && name !== task.name && name !== task.definition) return false;
  if (tag !== undefined && !task.tags.includes(tag)) return false;
  if (enqueuedAfterMs !== undefined && task.enqueuedAtMs < enqueuedAfterMs) return false;
  if (enqueuedBeforeMs !== undefined && task.enqueuedAtMs >= enqueuedBeforeMs) return false;
  return error === undefined || tells(task.error, error);
}

function tells(error: FilteredTask['error'], part: string): boolean {
  return error !== undefined && [error.name, error.message].some((text) => text.toLowerCase().includes(part));
}

function readFilter<T extends TaskFilter>(check: OptionsReader<T>): ResolvedTaskFilter {
  const text = (key: 'name' | 'tag' | 'error'): string | undefined =>
    check.has(key) ? check.text(key) : undefined;
  const states = Object.keys(taskTransitions);
  const ids = check.value<readonly string[] | undefined>('ids', undefined, 'an array of ids', isTexts);
  return {
    ids: ids && Object.freeze([...ids]),
    states: check.value<readonly TaskState[] | undefined>(
      'states',
      undefined,
      `an array of states: ${states.join(', ')}`,
      (value) => isTexts(value) && value.every((state) => states.includes(state)),
    ),
    name: text('name'),
    tag: text('tag'),
    error: text('error')?.toLowerCase(),
    enqueuedAfterMs: readInstant(check, 'enqueuedAfter'),
    enqueuedBeforeMs: readInstant(check, 'enqueuedBefore'),
  };
}

function readInstant<T extends TaskFilter>(
  check: OptionsReader<T>,
  key: 'enqueuedAfter' | 'enqueuedBefore',
): number | undefined {
  return check.value<Date | undefined>(key, undefined, 'a valid Date', isDate)?.getTime();
}

function readCursor(check: OptionsReader<TaskQuery>): Pick<ResolvedTaskQuery, 'after' | 'afterId'> {
  const cursor = check.value<string | undefined>('after', undefined, 'the `next` of a page before', isCursor);
  if (cursor === undefined) return { after: undefined, afterId: undefined };
  const id = cursor.split('.')[1];
  return {
    after: placeOf(cursor),
    afterId: id === undefined ? undefined : Buffer.from(id, 'base64url').toString(),
  };
}

function isCursor(value: unknown): boolean {
  return (
    typeof value === 'string' && /^p[0-9a-z]+(\.[\w-]+)?$/.test(value) && Number.isSafeInteger(placeOf(value))
  );
}

function placeOf(cursor: string): number {
  return Number.parseInt(cursor.slice(1).split('.')[0]!, 36);
}

function isDate(value: unknown): boolean {
  return value instanceof Date && Number.isFinite(value.getTime());
}

function isLimit(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= pageLimits.most;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '');
}
