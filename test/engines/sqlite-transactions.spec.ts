import { BackgroundAdmin, defineTask, TaskHandler } from 'nestjs-nightshift';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';
import { expect, it } from 'vitest';
import { connect } from '../../libs/sqlite/src/store.fixture.js';
import { databaseFile, start } from './application.js';

const bake = defineTask<string>('bake', {
  deduplicationKey: (sweet) => ({ key: sweet, onConflict: 'reject' }),
});

@TaskHandler(bake)
class Baker implements TaskHandler<typeof bake> {
  handle(): void {}
}

it.each([
  ['a task is refused', ['fudge', 'toffee', 'fudge'], { code: 'DUPLICATE_TASK' }],
  ['the file takes one of them not', ['fudge', 'toffee', 'stone'], { message: 'it is hard' }],
])(
  'says which of many tasks a transaction has accepted when %s, and keeps these',
  async (_, sweets, cause) => {
    const file = databaseFile();
    const { app, queue } = await start({ engine: sqliteEngine({ file }) }, [Baker]);
    await queue.pause();
    const connection = await connect(file);
    connection.exec(`CREATE TEMP TRIGGER picky BEFORE INSERT ON nightshift_tasks WHEN new.payload LIKE '%stone%'
    BEGIN SELECT raise(ABORT, 'it is hard'); END`);
    connection.exec('BEGIN');
    await expect(queue.enqueueMany(bake, sweets, { transaction: connection })).rejects.toMatchObject({
      code: 'PARTLY_ENQUEUED',
      handles: [{}, {}],
      cause,
    });
    connection.exec('COMMIT');
    expect(await app.get(BackgroundAdmin).counts('default')).toMatchObject({ waiting: 2 });
  },
);
