import { ArgumentOutOfRangeError } from 'nestjs-nightshift/channels';
import { expect, it } from 'vitest';
import { noteLimits, TaskLog } from './task-log.js';

const at = new Date(0);

it('keeps the last lines, oldest first, and knows how many there were', () => {
  const log = new TaskLog();
  for (let i = 1; i <= 1_234; i += 1) log.write(`line ${i}`, at);
  expect(log.written).toBe(1_234);
  expect(log.last()).toHaveLength(noteLimits.lines);
  expect(log.last()[0]).toEqual({ at, message: 'line 1135' });
  expect(log.last().at(-1)).toEqual({ at, message: 'line 1234' });
  expect(log.lines.length).toBeLessThan(noteLimits.lines * 2);
});

it('cuts a line, and takes out of it what no store can keep', () => {
  const log = new TaskLog();
  log.write(`\ud800\u0000${'x'.repeat(5_000)}`, at);
  const [line] = log.last();
  expect(line?.message).toHaveLength(noteLimits.characters);
  expect(line?.message.startsWith('\ufffd\ufffdx')).toBe(true);
});

it('makes text of a line that is none', () => {
  const log = new TaskLog();
  log.write(7 as never, at);
  expect(log.last()[0]?.message).toBe('7');
});

it('keeps the last progress', () => {
  const log = new TaskLog();
  log.setProgress(0.1, 'begun', at);
  log.setProgress(0.2, undefined, at);
  expect(log.progress).toEqual({ value: 0.2, message: undefined, at });
});

it.each([
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  ['half', undefined],
  [0.5, 7],
])('refuses a progress of %s, %s, and keeps the one before', (value, message) => {
  const log = new TaskLog();
  log.setProgress(0.1, 'begun', at);
  expect(() => log.setProgress(value as number, message as never, at)).toThrow(ArgumentOutOfRangeError);
  expect(log.progress?.value).toBe(0.1);
});
