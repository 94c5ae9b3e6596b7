import { CronTime } from 'cron';
import { describe, expect, it, vi } from 'vitest';
import { CronTrigger, DateTrigger } from './cron-trigger.js';

const at = (text: string): number => Date.parse(text);
const iso = (instant: number): string => new Date(instant).toISOString();

/** The first few instants at which an expression is due after `from`. */
function dueAfter(from: string, count: number, expression: string, zone?: string | number): string[] {
  const trigger = new CronTrigger(expression, zone);
  const found: string[] = [];
  for (let due = at(from); found.length < count; found.push(iso(due))) due = trigger.after(due);
  return found;
}

describe('CronTrigger', () => {
  it('first and after are strictly later than what they are given', () => {
    const trigger = new CronTrigger('0 3 * * *', 'UTC');
    expect(iso(trigger.first(at('2026-01-01T02:59:59.999Z')))).toBe('2026-01-01T03:00:00.000Z');
    expect(iso(trigger.first(at('2026-01-01T03:00:00Z')))).toBe('2026-01-02T03:00:00.000Z');
    expect(iso(trigger.after(at('2026-01-01T03:00:00.500Z')))).toBe('2026-01-02T03:00:00.000Z');
  });

  it('reads seconds when there are six fields', () => {
    expect(dueAfter('2026-01-01T00:00:00Z', 3, '*/20 * * * * *', 'UTC')).toEqual([
      '2026-01-01T00:00:20.000Z',
      '2026-01-01T00:00:40.000Z',
      '2026-01-01T00:01:00.000Z',
    ]);
  });

  it.each([
    ['@yearly', '2027-01-01T00:00:00.000Z'],
    ['@monthly', '2026-02-01T00:00:00.000Z'],
    ['@weekly', '2026-01-04T00:00:00.000Z'],
    ['@daily', '2026-01-02T00:00:00.000Z'],
    ['@hourly', '2026-01-01T01:00:00.000Z'],
    ['@minutely', '2026-01-01T00:01:00.000Z'],
    ['@secondly', '2026-01-01T00:00:01.000Z'],
    ['@weekdays', '2026-01-02T00:00:00.000Z'],
    ['@WEEKENDS', '2026-01-03T00:00:00.000Z'],
    ['0 12 * feb mon-fri', '2026-02-02T12:00:00.000Z'],
  ])('%s is next due at %s', (expression, expected) => {
    expect(dueAfter('2026-01-01T00:00:00Z', 1, expression, 'UTC')).toEqual([expected]);
  });

  it('waits for the next leap year when it is due on 29 February only', () => {
    expect(dueAfter('2026-01-01T00:00:00Z', 2, '0 0 29 2 *', 'UTC')).toEqual([
      '2028-02-29T00:00:00.000Z',
      '2032-02-29T00:00:00.000Z',
    ]);
  });

  it('works when the clock in use is far ahead of the machine or behind it', () => {
    expect(dueAfter('2099-12-31T12:00:00Z', 1, '0 3 * * 1', 'UTC')).toEqual(['2100-01-04T03:00:00.000Z']);
    expect(dueAfter('1970-01-01T00:00:00Z', 1, '0 3 * * 1', 'UTC')).toEqual(['1970-01-05T03:00:00.000Z']);
  });

  it('takes minutes east of UTC, and the zone of the machine when none is given', () => {
    expect(dueAfter('2026-01-01T00:00:00Z', 1, '0 12 * * *', 330)).toEqual(['2026-01-01T06:30:00.000Z']);
    const local = new Date(new CronTrigger('0 12 * * *').first(at('2026-01-01T00:00:00Z')));
    expect([local.getHours(), local.getMinutes()]).toEqual([12, 0]);
  });

  it.each([
    ['0 3 * *', 'Too few fields'],
    ['0 3 * * * * *', 'Too many fields'],
    ['60 * * * *', 'out of range'],
    ['*/0 * * * *', 'step of zero'],
    ['noon', 'Unknown alias'],
    ['0 0 30 2 *', 'No execution date was found'],
  ])('refuses %s at construction: %s', (expression, because) => {
    expect(() => new CronTrigger(expression)).toThrow(because);
  });

  it('refuses a zone that does not exist', () => {
    expect(() => new CronTrigger('0 3 * * *', 'Europe/Berlln')).toThrow(/timeZone must be an IANA time zone/);
  });

  it.each([
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00:00Z', '2026-03-08T07:00:00.000Z'],
    ['Europe/Berlin', '15 2 * * *', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
    ['Australia/Lord_Howe', '10 2 * * *', '2026-10-03T12:00:00Z', '2026-10-03T15:30:00.000Z'],
    ['Africa/Cairo', '30 0 * * *', '2026-04-23T12:00:00Z', '2026-04-23T22:00:00.000Z'],
  ])('is due when the gap ends, in %s, when its local time does not exist', (zone, expression, from, due) => {
    expect(dueAfter(from, 1, expression, zone)).toEqual([due]);
  });

  it('is due once when several of its local times fall into one gap', () => {
    expect(dueAfter('2026-03-08T00:00:00Z', 2, '0,20,40 2 * * *', 'America/New_York')).toEqual([
      '2026-03-08T07:00:00.000Z',
      '2026-03-09T06:00:00.000Z',
    ]);
  });

  it.each([
    [
      'America/New_York',
      '30 1 * * *',
      '2026-10-31T12:00:00Z',
      '2026-11-01T05:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ],
    [
      'Europe/Berlin',
      '30 2 * * *',
      '2026-10-24T12:00:00Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ],
    [
      'Australia/Sydney',
      '30 2 * * *',
      '2026-04-04T12:00:00Z',
      '2026-04-04T15:30:00.000Z',
      '2026-04-05T16:30:00.000Z',
    ],
  ])(
    'is due the first time, in %s, when its local time comes twice',
    (zone, expression, from, first, second) => {
      expect(dueAfter(from, 2, expression, zone)).toEqual([first, second]);
    },
  );

  it('is due in both passes, and not in a gap, when its hour is a star', () => {
    expect(dueAfter('2026-11-01T05:15:00Z', 3, '30 * * * *', 'America/New_York')).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-11-01T06:30:00.000Z',
      '2026-11-01T07:30:00.000Z',
    ]);
    expect(dueAfter('2026-03-08T06:15:00Z', 2, '30 * * * *', 'America/New_York')).toEqual([
      '2026-03-08T06:30:00.000Z',
      '2026-03-08T07:30:00.000Z',
    ]);
  });

  it('latest gives the last due time and how many came before it', () => {
    const trigger = new CronTrigger('* * * * *', 'UTC');
    const due = at('2026-01-01T00:01:00Z');
    expect(trigger.latest(due, due)).toEqual({ due, passed: 0 });
    expect(trigger.latest(due, due + 150_000)).toEqual({ due: due + 120_000, passed: 2 });
  });

  it('latest stops counting when very many were passed over', () => {
    const trigger = new CronTrigger('* * * * * *', 'UTC');
    const due = at('2026-01-01T00:00:00Z');
    const now = due + 86_400_000;
    expect(trigger.latest(due, now)).toEqual({ due: now, passed: 100 });
  });

  it('latest is a time that was due when very many were passed over', () => {
    const trigger = new CronTrigger('* 0-16 * * *', 'UTC');
    const latest = trigger.latest(at('2026-01-01T00:00:00Z'), at('2026-01-01T23:00:30.250Z'));
    expect(latest).toEqual({ due: at('2026-01-01T16:59:00Z'), passed: 100 });
  });

  it.each([
    ['a gap', '* * * * * *', '2026-03-08T06:59:59Z', '2026-03-08T07:00:00.000Z'],
    [
      'the second pass of a repeated hour',
      '* * 0-23 * * *',
      '2026-11-01T06:00:00Z',
      '2026-11-01T07:00:00.000Z',
    ],
  ])('does not go through %s second by second', (_, expression, from, due) => {
    const trigger = new CronTrigger(expression, 'America/New_York');
    const steps = vi.spyOn(CronTime.prototype, 'getNextDateFrom');
    expect(iso(trigger.after(at(from)))).toBe(due);
    expect(steps.mock.calls.length).toBeLessThan(5);
    steps.mockRestore();
  });
});

describe('DateTrigger', () => {
  it('is due once when its date is ahead, never when it is past', () => {
    const trigger = new DateTrigger(1_000);
    expect(trigger.first(999)).toBe(1_000);
    expect(trigger.first(1_000)).toBeUndefined();
    expect(trigger.after()).toBeUndefined();
    expect(trigger.latest(1_000)).toEqual({ due: 1_000, passed: 0 });
  });
});
