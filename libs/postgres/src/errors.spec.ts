import { describe, expect, it } from 'vitest';
import { explain, explainOutcome, isLost } from './errors.js';

const coded = (code: string): Error => Object.assign(new Error('from pg'), { code });

describe('what pg says', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', '57P01', '08006', '53300'])(
    '%s means that there is no connection',
    (code) => {
      expect(isLost(coded(code))).toBe(true);
    },
  );

  it.each([
    'Connection terminated unexpectedly',
    'timeout exceeded when trying to connect',
    'Query read timeout',
  ])('"%s" means that there is no connection', (message) => expect(isLost(new Error(message))).toBe(true));

  it('a refused connection to each of several addresses is one too', () => {
    expect(isLost(new AggregateError([coded('ECONNREFUSED')]))).toBe(true);
  });

  it.each(['23505', '42P01', '40P01'])('%s does not', (code) => expect(isLost(coded(code))).toBe(false));

  it.each([
    ['28P01', 'POSTGRES_ACCESS_DENIED'],
    ['3D000', 'POSTGRES_DATABASE_MISSING'],
    ['42501', 'POSTGRES_NO_PERMISSION'],
    ['25006', 'POSTGRES_READ_ONLY'],
  ])('%s becomes %s, with its cause', (code, ours) => {
    const error = coded(code);
    expect(explain(error, 'db/shop', 'nightshift')).toMatchObject({ code: ours, cause: error });
  });

  it('anything else stays as it is', () => {
    const error = coded('23505');
    expect(explain(error, 'db/shop', 'nightshift')).toBe(error);
  });

  it.each(['22P05', '22003', '54000'])('%s of an outcome will be said of it again', (code) => {
    const error = coded(code);
    expect(explainOutcome(error, '7')).toMatchObject({
      code: 'UNSTORABLE_OUTCOME',
      taskId: '7',
      cause: error,
    });
  });

  it.each(['40001', '53100', 'ECONNRESET'])('%s of an outcome may not', (code) => {
    const error = coded(code);
    expect(explainOutcome(error, '7')).toBe(error);
  });
});
