import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';
import { queueEngineContract } from 'nestjs-nightshift/testing';
import { describe, it } from 'vitest';

const { capabilities } = sqliteEngine({ file: ':memory:' });

describe('the engine on a SQLite file', () => {
  const cases = queueEngineContract({
    capabilities,
    clock: 'manual',
    createStore: () => {
      const directory = mkdtempSync(join(tmpdir(), 'nightshift-'));
      return {
        // What survives a power cut is no matter of this suite, and costs time.
        createEngine: () => sqliteEngine({ file: join(directory, 'tasks.db'), synchronous: 'normal' }),
        remove: () => rmSync(directory, { recursive: true }),
      };
    },
  });
  // oxlint-disable-next-line vitest/expect-expect -- the cases do
  it.each(cases)('$name', ({ run }) => run());
});

describe("the engine on SQLite's ':memory:'", () => {
  const cases = queueEngineContract({
    capabilities,
    clock: 'manual',
    isShared: false,
    createStore: () => ({ createEngine: () => sqliteEngine({ file: ':memory:' }) }),
  });
  // oxlint-disable-next-line vitest/expect-expect -- the cases do
  it.each(cases)('$name', ({ run }) => run());
});
