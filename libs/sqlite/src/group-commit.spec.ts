import { describe, expect, it, vi } from 'vitest';
import { SqliteBusyError, SqliteClosedError, SqliteFullError } from './errors.js';
import { GroupCommit, type BatchRunner } from './group-commit.js';
import { newTask, openStorage } from './store.fixture.js';

const busy = Object.assign(new Error('database is locked'), { errcode: 5 });

function setup({ patienceMs = 5_000 }: { patienceMs?: number } = {}) {
  const runner = {
    run: vi.fn<BatchRunner['run']>((calls) => calls.map(({ values: [value] }) => ({ value }))),
    close: vi.fn<BatchRunner['close']>(() => Promise.resolve()),
  };
  const commits = new GroupCommit(runner, 'tasks.db', patienceMs);
  const call = (value: unknown) => commits.call('insert', () => [value]);
  return { runner, commits, call };
}

describe('GroupCommit', () => {
  it('runs all calls of one turn in one batch, in order', async () => {
    const { runner, call } = setup();
    expect(await Promise.all([call(1), call(2), call(3)])).toEqual([1, 2, 3]);
    expect(runner.run).toHaveBeenCalledTimes(1);
    await call(4);
    expect(runner.run).toHaveBeenCalledTimes(2);
  });

  it('asks for the values when the batch is made', async () => {
    const { commits } = setup();
    let places = 1;
    const claimed = commits.call('claim', () => [places]);
    places = 5;
    expect(await claimed).toBe(5);
  });

  it('splits what is too much for one batch', async () => {
    const { runner, call } = setup();
    await Promise.all(Array.from({ length: 2_500 }, (_, index) => call(index)));
    expect(runner.run.mock.calls.map(([calls]) => calls.length)).toEqual([1_000, 1_000, 500]);
  });

  it('tells each caller what came of its own call', async () => {
    const { runner, call } = setup();
    runner.run.mockReturnValueOnce([{ value: 'one' }, { error: new RangeError('mine') }, { value: 'three' }]);
    const outcomes = await Promise.allSettled([call(1), call(2), call(3)]);
    expect(outcomes).toMatchObject([{ value: 'one' }, { reason: { message: 'mine' } }, { value: 'three' }]);
  });

  it('makes one batch at a time of a runner that answers later', async () => {
    const { runner, call } = setup();
    let answer!: (answers: { value: unknown }[]) => void;
    runner.run.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const first = call(1);
    await new Promise((resolve) => setImmediate(resolve));
    const others = [call(2), call(3)];
    await new Promise((resolve) => setImmediate(resolve));
    expect(runner.run).toHaveBeenCalledTimes(1);
    answer([{ value: 'first' }]);
    expect(await Promise.all([first, ...others])).toEqual(['first', 2, 3]);
    expect(runner.run).toHaveBeenCalledTimes(2);
  });

  it('tries again when it is the turn of somebody else, and keeps the order', async () => {
    const { runner, call } = setup();
    for (let times = 0; times < 3; times += 1)
      runner.run.mockImplementationOnce(() => {
        throw busy;
      });
    const first = call(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await Promise.all([first, call(2)])).toEqual([1, 2]);
    expect(runner.run.mock.lastCall?.[0].map(({ values: [value] }) => value)).toEqual([1, 2]);
  });

  it('gives up when its patience is over, and goes on with the next', async () => {
    const { runner, call } = setup({ patienceMs: 0 });
    runner.run.mockImplementationOnce(() => {
      throw busy;
    });
    await expect(call(1)).rejects.toThrow(SqliteBusyError);
    expect(await call(2)).toBe(2);
  });

  it('explains what fails as a whole', async () => {
    const { runner, call } = setup();
    runner.run.mockImplementationOnce(() =>
      Promise.reject(Object.assign(new Error('full'), { errcode: 13 })),
    );
    const outcomes = await Promise.allSettled([call(1), call(2)]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: expect.any(SqliteFullError) as unknown });
  });

  it('does what it was asked before it closes, and nothing after', async () => {
    const { runner, commits, call } = setup();
    const last = call(1);
    const closed = commits.close();
    await expect(call(2)).rejects.toThrow(SqliteClosedError);
    expect(await last).toBe(1);
    await closed;
    expect(runner.close).toHaveBeenCalledTimes(1);
  });
});

describe('a batch', () => {
  it('commits the calls of one turn together, and one that fails spoils none of the others', async () => {
    const storage = await openStorage();
    const unbound = { capacity: undefined, fullMode: 'wait' } as const;
    const outcomes = await Promise.allSettled([
      storage.insert(newTask({ name: 'a' }), unbound),
      storage.insert(newTask({ name: {} as never }), unbound),
      storage.insert(newTask({ name: 'c' }), unbound),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await storage.counts('default')).waiting).toBe(2);
  });
});
