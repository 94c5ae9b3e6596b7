import { describe, expect, it } from 'vitest';
import { OptionsReader } from '../options-reader.js';
import { readRetention, retentionDefaults, retentionKeys, type RetentionOptions } from './retention.js';
import { readStoreOptions, storeDefaults, storeKeys, type StoreOptions } from './store.options.js';

function read<T extends object, R>(
  options: T,
  keys: readonly (keyof T & string)[],
  of: (check: OptionsReader<T>) => R,
): R {
  const check = new OptionsReader<T>('options', options, keys);
  const resolved = of(check);
  check.finish();
  return resolved;
}
const store = (options: StoreOptions) => read(options, storeKeys, readStoreOptions);
const retention = (options: RetentionOptions) => read(options, retentionKeys, readRetention);

describe('the options of a store', () => {
  it('have defaults', () => {
    expect(store({})).toEqual(storeDefaults);
  });

  it('are resolved to milliseconds', () => {
    expect(store({ lease: '30s', pollInterval: 5, maxInterruptions: 0 })).toEqual({
      leaseMs: 30_000,
      pollIntervalMs: 5,
      maxInterruptions: 0,
    });
  });

  it.each([{ lease: '500ms' }, { pollInterval: 0 }, { maxInterruptions: -1 }, { maxInterruptions: 1.5 }])(
    'refuse %o',
    (options) => {
      expect(() => store(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }) as never);
    },
  );
});

describe('the retention of a queue', () => {
  it('has defaults, also where half of a rule is given', () => {
    expect(retention({})).toEqual(retentionDefaults);
    expect(retention({ dead: { count: 3 } })).toEqual({
      ...retentionDefaults,
      dead: { ageMs: retentionDefaults.dead.ageMs, count: 3 },
    });
  });

  it("takes 'infinite' for no limit of age", () => {
    expect(retention({ completed: { age: 'infinite' } }).completed.ageMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('reports everything that is wrong at once', () => {
    const wrong = { completed: { age: -1, count: 0.5 }, dead: 7, done: {} };
    expect(() => retention(wrong as never)).toThrow(
      expect.objectContaining({ problems: expect.objectContaining({ length: 4 }) as unknown }) as never,
    );
  });
});
