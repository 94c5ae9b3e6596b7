import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { resolveBullmqOptions } from './bullmq.options.js';

const unconnected = (options: object = {}): Redis =>
  new Redis({ lazyConnect: true, maxRetriesPerRequest: null, ...options });

const withClient = (options: object) => () => resolveBullmqOptions({ connection: unconnected(options) });

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

  it.each([
    [{ path: '/run/redis.sock' }, '/run/redis.sock'],
    [{ sentinels: [{ host: 'a' }, { host: 'b', port: 1 }], name: 'main' }, 'main (sentinels a:26379, b:1)'],
    [{ url: 'rediss://ada:secret@cache/3' }, 'cache/3'],
    [{ port: 1 }, 'localhost:1'],
  ])('name the server of %j', (connection, name) => {
    expect(resolveBullmqOptions({ connection }).server).toBe(name);
  });

  it('name the server of a client', () => {
    const cluster = new Cluster([{ host: 'a', port: 1 }, 'redis://ada:secret@b:2'], { lazyConnect: true });
    const names = [cluster, unconnected({ path: '/run/redis.sock' })].map(
      (connection) => resolveBullmqOptions({ connection }).server,
    );
    expect(names).toEqual(['the cluster of a:1, b:2', '/run/redis.sock']);
  });

  it.each([
    ['http://cache', /begins with redis:/],
    ['postgres://ada:secret@cache/db', /begins with redis:.*'postgres:\/\/cache\/db'/],
    ['localhost:6379', /begins with redis:.*'localhost:6379'/],
    ['ada:secret@cache', /but got 'cache'/],
    ['redis://cache/abc', /number of a database.*'abc'/],
    ['redis://cache?db=abc', /number of a database.*'abc'/],
    [{ db: Number.NaN }, /number of a database.*NaN/],
    [{ url: 'http://cache' }, /begins with redis:/],
    [[1], /an array of 1/],
  ])('refuse %j', (connection, message) => {
    expect(() => resolveBullmqOptions({ connection } as never)).toThrow(message);
  });

  it('refuse a client that BullMQ cannot use, and say why', () => {
    expect(withClient({})).not.toThrow();
    expect(withClient({ maxRetriesPerRequest: 20 })).toThrow(/`maxRetriesPerRequest: null`.* 20/);
    expect(withClient({ keyPrefix: 'x:' })).toThrow(/without a `keyPrefix`: say `prefix`/);
    const closed = unconnected();
    closed.disconnect();
    expect(() => resolveBullmqOptions({ connection: closed })).toThrow(/has not been closed/);
  });

  it('are refused all at once', () => {
    expect(() =>
      resolveBullmqOptions({ connection: 'nonsense', prefix: '', patience: -1, prefx: 1 } as never),
    ).toThrow(/prefx[\s\S]*connection[\s\S]*prefix[\s\S]*patience/);
    expect(() => resolveBullmqOptions({} as never)).toThrow(/connection/);
  });
});
