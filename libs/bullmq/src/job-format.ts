import type { ClaimedTask, NewTask } from 'nestjs-nightshift';
import { fromBullmqPriority, toBullmqPriority } from './priorities.js';

/** What this library keeps with a job beside what BullMQ has a place for: JSON, in `opts.nightshift`. */
export interface JobNotes {
  /** What logs and events call the task, when that is not the name of its definition. */
  readonly name?: string;
  readonly tags?: readonly string[];
  /** JSON */
  readonly metadata?: string;
  /** What was said of timeout and retries at enqueue: JSON. */
  readonly options?: string;
  readonly expiresAtMs?: number;
  readonly concurrencyKey?: string;
  readonly concurrencyLimit?: number;
  readonly deduplicationKey?: string;
  /** The key is taken for some time, also when the task has ended. */
  readonly hasWindow?: true;
  /** It has no payload, as opposed to an empty one, which is what BullMQ writes for none. */
  readonly isEmpty?: true;
}

/** The options of a job, as far as this library writes and reads them. */
export interface JobOptions {
  readonly priority?: number;
  readonly delay?: number;
  readonly attempts?: number;
  readonly nightshift?: string;
}

/** A job, as BullMQ stores one. */
export interface NewJob {
  readonly name: string;
  /** JSON */
  readonly data: string;
  readonly timestamp: number;
  readonly opts: JobOptions;
}

/** A job as a worker gets it. */
export interface DeliveredJob {
  readonly id: string;
  readonly name: string;
  readonly data: string;
  readonly timestamp: number;
  readonly opts: JobOptions;
  readonly priority: number;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
}

/** The payload is the data of the job and its definition the name, as whoever looks at it with tools of BullMQ expects. */
export function toJob(task: NewTask): NewJob {
  const { definition, payload, priority, dueAtMs, enqueuedAtMs, maxAttempts } = task;
  const delay = dueAtMs === undefined ? 0 : Math.max(0, dueAtMs - enqueuedAtMs);
  const attempts = maxAttempts > 1 && maxAttempts !== Number.POSITIVE_INFINITY ? maxAttempts : undefined;
  const notes = notesOf(task);
  const nightshift = notes ?? (attempts === undefined ? undefined : '{}');
  return {
    name: definition,
    data: payload ?? '{}',
    timestamp: enqueuedAtMs,
    opts: {
      priority: toBullmqPriority(priority, delay > 0),
      ...(delay > 0 && { delay }),
      ...(attempts !== undefined && { attempts }),
      ...(nightshift !== undefined && { nightshift }),
    },
  };
}

/** @returns `undefined` when there is nothing to note */
function notesOf(task: NewTask): string | undefined {
  const { name, definition, payload, tags, metadata, options, expiresAtMs, concurrencyKey } = task;
  const { concurrencyLimit, deduplication } = task;
  const isPlain =
    name === definition &&
    payload !== undefined &&
    tags.length === 0 &&
    (metadata ?? options ?? expiresAtMs ?? concurrencyKey ?? deduplication) === undefined;
  if (isPlain) return undefined;
  const notes: JobNotes = {
    ...(name !== definition && { name }),
    ...(tags.length > 0 && { tags }),
    ...(metadata !== undefined && { metadata }),
    ...(options !== undefined && { options }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(concurrencyKey !== undefined && { concurrencyKey, concurrencyLimit }),
    ...(deduplication !== undefined && { deduplicationKey: deduplication.key }),
    ...(deduplication?.untilMs !== undefined && { hasWindow: true }),
    ...(payload === undefined && { isEmpty: true }),
  };
  return JSON.stringify(notes);
}

const noNotes: JobNotes = Object.freeze({});

/** What was noted with a job; nothing for one that was not added by this library, whatever stands there. */
export function readNotes({ nightshift }: JobOptions): JobNotes {
  if (nightshift === undefined || nightshift === '{}') return noNotes;
  const notes = parseNotes(nightshift);
  return areNotes(notes) ? notes : noNotes;
}

/** @returns `undefined` when it is no JSON */
function parseNotes(text: unknown): unknown {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : undefined;
  } catch {
    return undefined;
  }
}

const kinds: Readonly<Record<keyof JobNotes, (value: unknown) => boolean>> = {
  name: isText,
  tags: (value) => Array.isArray(value) && value.every(isText),
  metadata: isObjectText,
  options: isObjectText,
  expiresAtMs: Number.isFinite,
  concurrencyKey: isText,
  concurrencyLimit: Number.isFinite,
  deduplicationKey: isText,
  hasWindow: (value) => value === true,
  isEmpty: (value) => value === true,
};

function areNotes(value: unknown): value is JobNotes {
  if (!isObject(value)) return false;
  const notes = value as Record<string, unknown>;
  return Object.entries(kinds).every(([key, fits]) => notes[key] === undefined || fits(notes[key]));
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isObjectText(value: unknown): boolean {
  return isObject(parseNotes(value));
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A job that was added by BullMQ itself is a task too: its name is that of the definition, its data the payload. */
export function toClaimedTask(job: DeliveredJob): ClaimedTask {
  const { id, name, data, timestamp, opts, priority, attemptsMade, attemptsStarted } = job;
  const notes = readNotes(opts);
  return {
    id,
    name: notes.name ?? name,
    definition: name,
    payload: notes.isEmpty === true ? undefined : data,
    priority: fromBullmqPriority(priority),
    enqueuedAtMs: timestamp,
    expiresAtMs: notes.expiresAtMs,
    concurrencyKey: notes.concurrencyKey,
    options: notes.options ?? foreignOptions(opts),
    tags: notes.tags ?? [],
    metadata: notes.metadata,
    keyUntilMs: undefined, // its window is kept apart from the job
    maxAttempts: Math.max(1, opts.attempts ?? 1),
    claim: attemptsStarted,
    attempt: attemptsMade + 1,
  };
}

/** Of a job that BullMQ added, `attempts` is what its producer wants. */
function foreignOptions({ nightshift, attempts }: JobOptions): string | undefined {
  if (nightshift !== undefined || attempts === undefined || attempts <= 1) return undefined;
  return JSON.stringify({ maxAttempts: attempts });
}
