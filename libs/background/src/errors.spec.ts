import { NightshiftError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import * as errors from './errors.js';

const cause = new Error('why');

/** One of each, with its code and what its message must tell. */
const all: [error: NightshiftError, code: string, told: readonly string[]][] = [
  [
    new errors.ModuleRegisteredTwiceError(),
    'MODULE_REGISTERED_TWICE',
    ['twice', 'Import it once', 'registerQueue'],
  ],
  [
    new errors.LifetimeReplacedError('Feature'),
    'LIFETIME_REPLACED',
    ['Feature provides', 'Take it out of the providers'],
  ],
  [new errors.ModuleNotRegisteredError('X'), 'MODULE_NOT_REGISTERED', ['X needs', 'import it once']],
  [new errors.DuplicateNameError('queue', 'mail'), 'DUPLICATE_NAME', ['Two queues', "'mail'", '`name`']],
  [
    new errors.UnknownNameError('service', 'clenup', ['cleanup', 'mail']),
    'UNKNOWN_NAME',
    ["'clenup'", "Did you mean 'cleanup'?", 'Known: cleanup, mail.'],
  ],
  [
    new errors.NotAServiceError('X', 'it has no execute()'),
    'NOT_A_SERVICE',
    ['X cannot run', 'no execute()'],
  ],
  [
    new errors.CaptiveDependencyError('Stirrer', ['Stirrer', 'Orders', 'Request']),
    'CAPTIVE_DEPENDENCY',
    ['Stirrer -> Orders -> Request', 'every', 'ServiceScopeFactory'],
  ],
  [
    new errors.NotTickedError('Stirrer', 'longRunning', 'pause'),
    'NOT_TICKED',
    ['pause()', "'Stirrer'", '`every`', '`cron`'],
  ],
  [
    new errors.IllegalStateError('the host', 'stopping', 'Adding a service'),
    'ILLEGAL_STATE',
    ['Adding a service is not possible while the host is stopping.'],
  ],
  [new errors.StartupTimeoutError(500, { cause }), 'STARTUP_TIMED_OUT', ['startupTimeout', '500 ms']],
  [new errors.StoppingError('The application'), 'STOPPING', ['The application is stopping.']],
  [new errors.TickTimeoutError('Stirrer', 500), 'TICK_TIMED_OUT', ["'Stirrer'", '500 ms']],
  [new errors.ScopeDisposedError('Orders'), 'SCOPE_DISPOSED', ['Orders', 'already disposed', 'await']],
  [new errors.QueueClosedError('mail'), 'QUEUE_CLOSED', ["'mail'", 'stopping', '503']],
  [
    new errors.QueueSelfWaitError('mail', 2),
    'QUEUE_WAITS_FOR_ITSELF',
    ["'mail'", 'concurrency 2', 'tryEnqueue()'],
  ],
  [new errors.InvalidWorkError('a string'), 'INVALID_WORK', ['must be a function', 'a string']],
  [new errors.TaskTimeoutError('7', 'mail', 500), 'TASK_TIMED_OUT', ['Task 7', "'mail'", '500 ms']],
  [
    new errors.TaskCancelledError('7', 'mail', 'too late'),
    'TASK_CANCELLED',
    ['Task 7', 'cancelled: too late.'],
  ],
  [
    new errors.TaskDroppedError('7', 'mail', 'dropOldest'),
    'TASK_DROPPED',
    ['Task 7', "'mail'", "'dropOldest'"],
  ],
  [
    new errors.TaskDiscardedError('7', 'mail', 'no such order'),
    'TASK_DISCARDED',
    ['Task 7', "'mail'", 'was discarded: no such order.'],
  ],
  [new errors.TaskUnfinishedError('7', 'mail'), 'TASK_UNFINISHED', ['Task 7', "'mail'", 'is kept']],
  [
    new errors.TaskInterruptedError('7', 'mail', 3),
    'TASK_INTERRUPTED',
    ['Task 7', "'mail'", '3 times', 'Retry'],
  ],
  [new errors.TaskSupersededError('7', 'mail'), 'TASK_SUPERSEDED', ['Task 7', "'mail'", 'another worker']],
  [
    new errors.TaskFailedError('7', 'mail', { name: 'SmtpError', message: 'no such address' }),
    'TASK_FAILED',
    ['no such address'],
  ],
  [
    new errors.TaskResultLostError('7', 'mail', 'is kept no longer'),
    'TASK_RESULT_LOST',
    ['Task 7', "'mail'", 'is completed', 'is kept no longer.'],
  ],
  [new errors.TaskExpiredError('7', 'mail', 500), 'TASK_EXPIRED', ['Task 7', "'mail'", '500 ms', 'not run']],
  [new errors.TaskAbandonedError('7', 'mail'), 'TASK_ABANDONED', ['Task 7', 'stopped before it finished']],
  [
    new errors.InvalidPayloadError('cook', [{ path: 'payload.sweet', message: 'is missing' }], 2, { cause }),
    'INVALID_PAYLOAD',
    ["Task 'cook' got payload 2,", '\n- payload.sweet: is missing'],
  ],
  [
    new errors.AsyncPayloadSchemaError('cook'),
    'ASYNC_PAYLOAD_SCHEMA',
    ['tryEnqueue()', "'cook'", 'Use enqueue()'],
  ],
  [
    new errors.NoTaskHandlerError('cok', ['cook', 'stir']),
    'NO_TASK_HANDLER',
    ["'cok'", "Did you mean 'cook'?", '@TaskHandler(definition)', 'Handled: cook, stir.'],
  ],
  [
    new errors.DuplicateTaskHandlerError('cook', ['Cook of Kitchen', 'Chef of Canteen']),
    'DUPLICATE_TASK_HANDLER',
    ["'cook'", 'Cook of Kitchen and by Chef of Canteen', 'another name'],
  ],
  [
    new errors.NotATaskHandlerError('Cook', 'cook'),
    'NOT_A_TASK_HANDLER',
    ['Cook cannot', "'cook'", 'handle('],
  ],
  [
    new errors.WrongQueueError('cook', 'default', 'kitchen'),
    'WRONG_QUEUE',
    ["'cook'", "'default'", "@InjectTaskQueue('kitchen')"],
  ],
  [
    new errors.PartlyEnqueuedError('kitchen', [], 3, { cause }),
    'PARTLY_ENQUEUED',
    ["'kitchen'", '0 of 3', '`handles`', '`cause`'],
  ],
  [
    new errors.UnstorableOutcomeError('7', { cause }),
    'UNSTORABLE_OUTCOME',
    ['task 7', '`cause`', 'stored without it'],
  ],
  [
    new errors.NotSupportedError('memory', 'transaction', 'it is in memory'),
    'NOT_SUPPORTED',
    ["'memory'", '(transaction)', 'it is in memory'],
  ],
  [
    new errors.ClosureNotDurableError('mail', 'sqlite'),
    'CLOSURE_NOT_DURABLE',
    ["'mail'", "'sqlite'", 'defineTask()', 'memoryEngine()'],
  ],
  [
    new errors.DuplicateTaskError('mail', 'digest', '7'),
    'DUPLICATE_TASK',
    ["'mail'", "'digest'", '7', 'Nothing was enqueued'],
  ],
  [new errors.UnknownTaskError('mail', '7'), 'UNKNOWN_TASK', ["'mail'", 'task 7', '`retention`']],
];

describe('Errors', () => {
  it.each(all)('%s has the code %s and says what to do', (error, code, told) => {
    expect(error).toBeInstanceOf(NightshiftError);
    expect(error.code).toBe(code);
    for (const part of told) expect(error.message).toContain(part);
  });

  it('there is one of each class here, and no code twice', () => {
    const classes = Object.values(errors).filter((value) => value.prototype instanceof NightshiftError);
    const concrete = classes.filter((value) => value !== (errors.TaskOutcomeError as unknown));
    expect(new Set(all.map(([error]) => error.constructor))).toEqual(new Set(concrete));
    expect(new Set(all.map(([, code]) => code)).size).toBe(all.length);
  });

  it('are named after their class, but for the one that is an AbortError', () => {
    for (const [error] of all) {
      const isAbort = error instanceof errors.StoppingError || error instanceof errors.TaskSupersededError;
      expect(error.name).toBe(isAbort ? 'AbortError' : error.constructor.name);
    }
  });

  it('carry their cause when there is one', () => {
    expect(new errors.StartupTimeoutError(1, { cause }).cause).toBe(cause);
    expect(new errors.TaskCancelledError('1', 'q', cause).cause).toBe(cause);
    expect(new errors.TaskCancelledError('1', 'q')).not.toHaveProperty('cause');
    expect(new errors.TaskCancelledError('1', 'q', cause).message).toMatch(/was cancelled\.$/);
    expect(new errors.TaskCancelledError('', 'q', 'why').message).toBe(
      "A task of queue 'q' was cancelled: why.",
    );
  });

  it('an unknown name is not guessed when nothing is near, and says so when nothing is known', () => {
    expect(new errors.UnknownNameError('queue', 'mail', ['photos']).message).not.toContain('Did you mean');
    expect(new errors.UnknownNameError('queue', 'mail', []).message).toContain('No queue is registered.');
  });

  it('the outcomes of a task know their task and queue', () => {
    const outcomes = all.map(([error]) => error).filter((error) => error instanceof errors.TaskOutcomeError);
    expect(outcomes.length).toBeGreaterThan(3);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ taskId: '7', queue: 'mail' });
  });

  it('the issues of a payload are told up to ten, and kept all', () => {
    const issues = Array.from({ length: 12 }, (_, index) => ({
      path: `payload[${index}]`,
      message: 'is odd',
    }));
    const error = new errors.InvalidPayloadError('cook', issues);
    expect(error.message).toMatch(/payload\[9\]: is odd\n- and 2 more$/);
    expect(error.issues).toBe(issues);
  });
});

describe('combineErrors', () => {
  it('leaves one error as it is, makes one of several, and nothing of none', () => {
    expect(errors.combineErrors([cause], 'several')).toBe(cause);
    expect(errors.combineErrors([], 'several')).toBeUndefined();
    const combined = errors.combineErrors([cause, 'text'], 'several') as AggregateError;
    expect(combined).toBeInstanceOf(AggregateError);
    expect([combined.message, combined.errors]).toEqual(['several', [cause, 'text']]);
  });
});

describe('isCancellation', () => {
  it.each([
    ['the reason of the signal', true],
    ['any AbortError', true],
    ['another error', false],
    ['something that is no error', false],
  ])('%s, once the signal is aborted: %s', (what, expected) => {
    const { signal } = new AbortController();
    const aborted = AbortSignal.abort(cause);
    const error = {
      'the reason of the signal': cause,
      'any AbortError': new DOMException('aborted', 'AbortError'),
      'another error': new Error('other'),
      'something that is no error': 'AbortError',
    }[what];
    expect(errors.isCancellation(error, aborted)).toBe(expected);
    expect(errors.isCancellation(error, signal)).toBe(false);
  });
});
