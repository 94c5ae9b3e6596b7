import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { postgresEngine } from 'nestjs-nightshift/postgres';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';
import { expect, it } from 'vitest';
import { memoryCapabilities } from '../../libs/background/src/tasks/memory-capabilities.js';
import { columnOf, renderEnginesPage, type EngineColumn } from './engines-page.js';

const page = join(resolve(import.meta.dirname, '../..'), 'docs/engines.md');
/** Before the test may have written it. */
const pageExisted = existsSync(page);

const memory: EngineColumn = {
  title: 'memory',
  guide: 'guides/task-queues.md',
  capabilities: memoryCapabilities,
  hasOccurrences: false,
  reach: 'one process',
};

const columns: readonly EngineColumn[] = [
  memory,
  columnOf(sqliteEngine({ file: ':memory:' }), {
    title: 'SQLite',
    guide: 'guides/durability.md',
    reach: 'processes on one machine',
  }),
  columnOf(bullmqEngine({ connection: 'redis://localhost' }), {
    title: 'BullMQ',
    guide: 'guides/bullmq.md',
    reach: 'any machines',
  }),
  columnOf(postgresEngine({ connectionString: 'postgres://localhost/app' }), {
    title: 'PostgreSQL',
    guide: 'guides/postgres.md',
    reach: 'any machines',
  }),
];

it('docs/engines.md says what the engines say of themselves (npm run docs:engines writes it)', async () => {
  await expect(await renderEnginesPage(columns, page)).toMatchFileSnapshot(page);
  expect(pageExisted, 'The page was missing. It has been written: look at it, and run this again.').toBe(
    true,
  );
});
