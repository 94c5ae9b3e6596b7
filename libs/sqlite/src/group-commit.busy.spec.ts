import { expect, it, onTestFinished } from 'vitest';
import { SqliteBusyError } from './errors.js';
import { GroupCommit, type BatchRunner } from './group-commit.js';
import type { StoreAnswer, StoreCall } from './store-batch.js';

const busy = Object.assign(new Error('database is locked'), { errcode: 5 });

/** Answers single calls as being somebody else's turn, some times. */
function setup({ busyTimes, patienceMs = 1_000 }: { busyTimes: number; patienceMs?: number }) {
  const asked: StoreCall['method'][] = [];
  const answer = ({ method }: StoreCall): StoreAnswer => {
    asked.push(method);
    const times = asked.filter((each) => each === method).length;
    return method === 'look' && times <= busyTimes ? { error: busy } : { value: method };
  };
  const runner: BatchRunner = { run: (calls) => calls.map(answer), close: () => Promise.resolve() };
  const commits = new GroupCommit(runner, 'tasks.db', patienceMs);
  onTestFinished(() => commits.close());
  return { commits, asked };
}

it('asks again for a single call that came at the turn of somebody else, and not for the others', async () => {
  const { commits, asked } = setup({ busyTimes: 2 });
  const calls = [commits.call('beat', () => []), commits.call('look', () => [])];
  expect(await Promise.all(calls)).toEqual(['beat', 'look']);
  expect(asked).toEqual(['beat', 'look', 'look', 'look']);
});

it('gives a single call up when the turn of somebody else lasts too long', async () => {
  const { commits } = setup({ busyTimes: 1_000, patienceMs: 5 });
  await expect(commits.call('look', () => [])).rejects.toThrow(SqliteBusyError);
});
