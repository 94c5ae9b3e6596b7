import {
  TaskInterruptedError,
  toErrorRecord,
  type AttemptRecord,
  type ErrorRecord,
  type HoldReason,
  type TaskDetails,
  type TaskEnd,
  type TaskLogLine,
  type TaskProgress,
  type TaskRecord,
  type TaskState,
} from 'nestjs-nightshift';
import { readNotes, type JobNotes, type JobOptions } from './job-format.js';
import { fromBullmqPriority } from './priorities.js';

/** Where BullMQ has a job. */
export type JobPlace =
  | 'wait'
  | 'active'
  | 'prioritized'
  | 'delayed'
  | 'completed'
  | 'failed'
  /** The parent of a flow, while its children run. */
  | 'waiting-children';

/** What is stored of a job: its fields, and where it is. */
export interface StoredJob {
  readonly id: string;
  readonly place: JobPlace;
  /** When it is due, while it is delayed. */
  readonly dueAtMs: number | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

/** The field of one attempt. So many are kept. */
export function attemptField(start: number): string {
  return `nightshift:attempt:${start % attemptsKept}`;
}
export const attemptsKept = 100;

/** What BullMQ writes of a job that was interrupted too often. */
const stalledReason = 'job stalled more than allowable limit';

/** What the script `read` gives. */
export function toStoredJob([id, place, score, list]: readonly [
  string,
  JobPlace,
  string,
  readonly string[],
]): StoredJob {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let i = 0; i + 1 < list.length; i += 2) fields[list[i]!] = list[i + 1]!;
  const dueAtMs = place === 'delayed' ? Math.floor(Number(score) / 4_096) : undefined;
  return { id, place, dueAtMs, fields };
}

export function stateOf({ place, fields, dueAtMs }: StoredJob, nowMs: number): TaskState {
  switch (place) {
    case 'completed':
    case 'active':
      return place;
    case 'failed':
      return (fields['nightshift:state'] as TaskState | undefined) ?? 'dead';
    case 'delayed':
      if (fields['nightshift:held'] !== undefined || dueAtMs! <= nowMs) return 'waiting';
      return fields['nightshift:state'] === 'retrying' ? 'retrying' : 'scheduled';
    default:
      return 'waiting';
  }
}

/** The name that events and logs know a job by. */
export function displayName(name: string, options: string): string {
  return options === '' ? name : (readNotes(JSON.parse(options) as JobOptions).name ?? name);
}

export function toRecord(job: StoredJob, queue: string, nowMs: number): TaskRecord {
  const { id, fields } = job;
  const options = JSON.parse(fields['opts'] ?? '{}') as JobOptions;
  const notes = readNotes(options);
  const name = fields['name'] ?? '';
  const state = stateOf(job, nowMs);
  const enqueuedAtMs = Number(fields['timestamp']);
  const hasBegun = fields['processedOn'] !== undefined;
  return {
    id,
    queue,
    name: notes.name ?? name,
    definition: name,
    state,
    heldBack: state === 'waiting' ? (fields['nightshift:held'] as HoldReason | undefined) : undefined,
    priority: fromBullmqPriority(Number(fields['priority'] ?? 0)),
    attempt: attemptOf(fields, state),
    maxAttempts: maxAttemptsOf(options, fields, state),
    enqueuedAt: new Date(enqueuedAtMs),
    dueAt: state === 'scheduled' || state === 'retrying' ? new Date(job.dueAtMs!) : undefined,
    startedAt:
      hasBegun && fields['nightshift:held'] === undefined ? dateOf(fields['processedOn']) : undefined,
    endedAt: dateOf(fields['finishedOn']),
    expiresAt: notes.expiresAtMs === undefined ? undefined : new Date(notes.expiresAtMs),
    deduplicationKey: notes.deduplicationKey ?? fields['deid'],
    concurrencyKey: notes.concurrencyKey,
    tags: notes.tags ?? [],
    metadata: metadataOf(notes),
    progress: progressOf(fields['progress'], enqueuedAtMs),
    error: errorOf(job, queue),
  };
}

export function toDetails(
  job: StoredJob,
  queue: string,
  lines: readonly string[],
  nowMs: number,
): TaskDetails {
  const { fields } = job;
  const { isEmpty } = readNotes(JSON.parse(fields['opts'] ?? '{}') as JobOptions);
  const record = toRecord(job, queue, nowMs);
  return {
    ...record,
    payload: isEmpty === true ? undefined : parseAny(fields['data']),
    result: record.state === 'completed' ? parseAny(resultOf(fields)) : undefined,
    attempts: attemptsOf(fields),
    log: lines.map((line) => toLogLine(line, record.enqueuedAt)),
  };
}

export function hasEnded({ place }: StoredJob): boolean {
  return place === 'completed' || place === 'failed';
}

/** Of a job that has ended. */
export function toEnd(job: StoredJob, queue: string, nowMs: number): TaskEnd {
  const { id, fields } = job;
  const { expiresAtMs } = readNotes(JSON.parse(fields['opts'] ?? '{}') as JobOptions);
  return {
    id,
    state: stateOf(job, nowMs),
    result: resultOf(fields),
    error: errorOf(job, queue),
    expiresInMs: expiresAtMs === undefined ? undefined : expiresAtMs - Number(fields['timestamp']),
  };
}

/** BullMQ writes `null` for no result; a result that is `null` is marked. */
function resultOf(fields: StoredJob['fields']): string | undefined {
  const { returnvalue } = fields;
  return returnvalue === 'null' && fields['nightshift:null'] === undefined ? undefined : returnvalue;
}

function attemptOf(fields: StoredJob['fields'], state: TaskState): number {
  const made = Number(fields['atm'] ?? 0);
  if (state === 'active' || (state === 'retrying' && fields['nightshift:putOff'] === '1')) return made + 1;
  return state === 'expired' ? 0 : made;
}

/** Of a job that does not say it, whoever handles it decides: then what is known is how many it has had, or is to have. */
function maxAttemptsOf({ attempts = 1 }: JobOptions, fields: StoredJob['fields'], state: TaskState): number {
  const isPutOff = fields['nightshift:putOff'] === '1';
  const next = state === 'retrying' && !isPutOff ? 1 : 0;
  return Math.max(1, attempts, attemptOf(fields, state) + next);
}

function attemptsOf(fields: StoredJob['fields']): AttemptRecord[] {
  return Object.entries(fields)
    .filter(([field]) => field.startsWith('nightshift:attempt:'))
    .map(([, text]) => JSON.parse(text) as StoredAttemptFields)
    .toSorted((a, b) => a.start - b.start)
    .map(({ attempt, outcome, error, startedAtMs, endedAtMs }) => ({
      attempt,
      outcome,
      error,
      startedAt: new Date(startedAtMs),
      endedAt: new Date(endedAtMs),
    }));
}

/** What the field of an attempt holds. */
export interface StoredAttemptFields {
  /** How many times the job had begun. */
  readonly start: number;
  readonly attempt: number;
  readonly outcome: AttemptRecord['outcome'];
  readonly error: ErrorRecord | undefined;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

function errorOf({ id, place, fields }: StoredJob, queue: string): ErrorRecord | undefined {
  if (place === 'completed')
    return fields['nightshift:lost'] === undefined
      ? undefined
      : (JSON.parse(fields['nightshift:lost']) as ErrorRecord);
  const text = fields['nightshift:error'];
  if (text !== undefined && text !== '') return JSON.parse(text) as ErrorRecord;
  const reason = fields['failedReason'];
  if (reason === undefined || fields['nightshift:state'] === 'expired') return undefined;
  if (reason === stalledReason)
    return toErrorRecord(new TaskInterruptedError(id, queue, Number(fields['stc'] ?? 0)));
  const [stack] =
    fields['stacktrace'] === undefined ? [] : (parseAny(fields['stacktrace']) as string[]).slice(-1);
  return { name: 'Error', message: reason, ...(stack !== undefined && { stack }) };
}

function metadataOf({ metadata }: JobNotes): Readonly<Record<string, unknown>> {
  return metadata === undefined ? {} : (JSON.parse(metadata) as Record<string, unknown>);
}

/** That of this library, or whatever number somebody else has written. */
function progressOf(text: string | undefined, enqueuedAtMs: number): TaskProgress | undefined {
  if (text === undefined) return undefined;
  const progress = parseAny(text);
  if (typeof progress === 'number')
    return progress === 0 ? undefined : { value: progress, message: undefined, at: new Date(enqueuedAtMs) };
  const { value, message, at } = (progress ?? {}) as { value?: number; message?: string; at?: number };
  return typeof value === 'number' ? { value, message, at: new Date(at ?? enqueuedAtMs) } : undefined;
}

/** A line as it is stored: readable where BullMQ's own tools show it. */
export function fromLogLine({ at, message }: TaskLogLine): string {
  return `${at.toISOString()} ${message}`;
}

function toLogLine(line: string, otherwise: Date): TaskLogLine {
  const at = new Date(line.slice(0, 24));
  return line[24] === ' ' && Number.isFinite(at.getTime())
    ? { at, message: line.slice(25) }
    : { at: otherwise, message: line };
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(Number(text));
}

/** What others have written may be anything. */
function parseAny(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
