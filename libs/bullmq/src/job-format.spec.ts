import type { NewTask } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { toClaimedTask, toJob, type NewJob } from './job-format.js';
import { toBullmqPriority } from './priorities.js';

function task(overrides: Partial<NewTask> = {}): NewTask {
  return {
    queue: 'mail',
    name: 'send-mail',
    definition: 'send-mail',
    payload: '{"to":"ada"}',
    priority: 0,
    enqueuedAtMs: 1_000,
    dueAtMs: undefined,
    expiresAtMs: undefined,
    deduplication: undefined,
    concurrencyKey: undefined,
    concurrencyLimit: 1,
    options: undefined,
    tags: [],
    metadata: undefined,
    maxAttempts: 1,
    ...overrides,
  };
}

function delivered(job: NewJob) {
  return toClaimedTask({
    ...job,
    id: 'x',
    priority: job.opts.priority ?? 0,
    attemptsMade: 0,
    attemptsStarted: 1,
  });
}

describe('a task as a job', () => {
  it('is nothing but name, data and priority when there is no more to say', () => {
    expect(toJob(task())).toEqual({
      name: 'send-mail',
      data: '{"to":"ada"}',
      timestamp: 1_000,
      opts: { priority: toBullmqPriority(0, false) },
    });
  });

  it('comes back as it was', () => {
    const more = {
      name: 'welcome',
      priority: -3,
      expiresAtMs: 9_000,
      concurrencyKey: 'ada',
      options: '{"timeoutMs":5}',
      tags: ['a'],
      metadata: '{"tenant":7}',
      maxAttempts: 4,
    };
    expect(delivered(toJob(task(more)))).toMatchObject({ ...more, definition: 'send-mail', attempt: 1 });
  });

  it('tells no payload from an empty one', () => {
    expect(delivered(toJob(task({ payload: undefined }))).payload).toBeUndefined();
    expect(delivered(toJob(task({ payload: '{}' }))).payload).toBe('{}');
  });

  it('is delayed until it is due, and goes before others then', () => {
    const { opts } = toJob(task({ dueAtMs: 3_500 }));
    expect(opts).toEqual({ priority: toBullmqPriority(0, true), delay: 2_500 });
  });
});

describe('a job that BullMQ itself added', () => {
  const plain = { name: 'send-mail', data: '{"to":"ada"}', timestamp: 1_000, opts: {} };

  it('is a task of the definition with its name', () => {
    expect(delivered(plain)).toMatchObject({
      name: 'send-mail',
      definition: 'send-mail',
      payload: '{"to":"ada"}',
      priority: 0,
      options: undefined,
    });
  });

  it.each([
    'junk',
    '',
    'null',
    '[]',
    '{"tags":"a"}',
    '{"name":7}',
    '{"metadata":"no"}',
    '{"options":"[]"}',
    { tags: [] } as never,
  ])('has no notes when %j stands in their place', (nightshift) => {
    const task = delivered({ ...plain, opts: { nightshift } });
    expect(task).toMatchObject({ name: 'send-mail', tags: [], metadata: undefined, options: undefined });
  });

  it('has as many attempts as its producer says', () => {
    expect(delivered({ ...plain, opts: { attempts: 3 } }).options).toBe('{"maxAttempts":3}');
  });
});
