import { describe, expect, it } from 'vitest';
import { resolveBullmqOptions } from './bullmq.options.js';

describe('the options of the engine', () => {
  it('have defaults for all but the connection', () => {
    const { prefix, patienceMs, leaseMs, server } = resolveBullmqOptions({ connection: 'redis://cache' });
    expect({ prefix, patienceMs, leaseMs, server }).toEqual({
      prefix: 'bull',
      patienceMs: 10_000,
      leaseMs: 10_000,
      server: 'cache',
    });
  });

  it('never show a password', () => {
    const url = resolveBullmqOptions({ connection: 'redis://ada:secret@cache:1234/2' });
    const object = resolveBullmqOptions({ connection: { host: 'cache', password: 'secret' } });
    expect([url.server, object.server]).toEqual(['cache:1234/2', 'cache:6379']);
  });

  it('are refused all at once', () => {
    expect(() =>
      resolveBullmqOptions({ connection: 'nonsense', prefix: '', patience: -1, prefx: 1 } as never),
    ).toThrow(/prefx[\s\S]*connection[\s\S]*prefix[\s\S]*patience/);
    expect(() => resolveBullmqOptions({} as never)).toThrow(/connection/);
  });
});
