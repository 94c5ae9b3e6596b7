import { describe, expect, it } from 'vitest';
import { isOlder, toSettings, warningsOf, type ServerSettings } from './server-check.js';

const safe: ServerSettings = {
  maxmemoryPolicy: 'noeviction',
  appendonly: 'yes',
  appendfsync: 'everysec',
  save: '3600 1',
};

function codes(settings: Partial<ServerSettings>): string[] {
  return warningsOf('cache:6379', { ...safe, ...settings }).map(({ code }) => code);
}

describe('what is said of a server', () => {
  it('is nothing when it keeps what it is given', () => {
    expect([codes({}), codes({ appendfsync: 'always' })]).toEqual([[], []]);
  });

  it('names the setting, and what would be lost', () => {
    const [warning] = warningsOf('cache:6379', { ...safe, maxmemoryPolicy: 'allkeys-lru' });
    expect(warning?.message).toMatch(
      /^Redis at cache:6379: `maxmemory-policy` is allkeys-lru: .*noeviction\.$/,
    );
  });

  it('is that all is lost when nothing is written down, and the rest since a snapshot', () => {
    expect(codes({ appendonly: 'no', save: '' })).toEqual(['REDIS_NOT_PERSISTENT']);
    expect(codes({ appendonly: 'no' })).toEqual(['REDIS_SNAPSHOTS_ONLY']);
    expect(codes({ appendfsync: 'no', maxmemoryPolicy: 'volatile-ttl' })).toEqual([
      'REDIS_MAY_EVICT',
      'REDIS_FSYNC_OFF',
    ]);
  });

  it('is that it could not be checked when it does not tell', () => {
    expect(warningsOf('cache:6379', toSettings([])).map(({ code }) => code)).toEqual(['REDIS_UNCHECKED']);
  });
});

describe('versions', () => {
  it.each([
    ['6.2.14', true],
    ['7.0.0', false],
    ['7.0.15', false],
    ['8.2', false],
    ['10.0.0', false],
  ])('%s is older than 7.0.0: %s', (version, expected) => {
    expect(isOlder(version, '7.0.0')).toBe(expected);
  });
});
