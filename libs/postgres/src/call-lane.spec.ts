import { expect, it } from 'vitest';
import { CallLane } from './call-lane.js';
import { PostgresUnreachableError } from './errors.js';

/** Answers each call with itself; what `fail` says of a batch, it rejects with. */
function setup(fail: (calls: readonly number[], tries: number) => unknown = () => undefined) {
  const batches: (readonly number[])[] = [];
  const lane = new CallLane<number, number>(async (calls) => {
    batches.push(calls);
    const error = await Promise.resolve(fail(calls, batches.length));
    if (error !== undefined) throw error;
    return calls;
  });
  return { lane, batches };
}

it('runs the calls of one turn as one batch, and those that come meanwhile as the next', async () => {
  const { lane, batches } = setup();
  const first = [lane.call(1), lane.call(2)];
  await first[0];
  const second = lane.call(3);
  expect(await Promise.all([...first, second])).toEqual([1, 2, 3]);
  expect(batches).toEqual([[1, 2], [3]]);
});

it('runs each alone when a batch fails, so that one call does not spoil the others', async () => {
  const { lane, batches } = setup((calls) => (calls.includes(2) ? new Error('two') : undefined));
  const results = await Promise.allSettled([lane.call(1), lane.call(2), lane.call(3)]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
});

it('tries a batch again that others were in the way of', async () => {
  const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' });
  const { lane, batches } = setup((_, tries) => (tries < 3 ? deadlock : undefined));
  expect(await lane.call(1)).toBe(1);
  expect(batches).toHaveLength(3);
});

it('rejects all with the same error when there is no connection, without trying each', async () => {
  const outage = new PostgresUnreachableError('here');
  const { lane, batches } = setup(() => outage);
  const results = await Promise.allSettled([lane.call(1), lane.call(2)]);
  expect(results.map((result) => 'reason' in result && result.reason === outage)).toEqual([true, true]);
  expect(batches).toHaveLength(1);
});

it('is idle when all that was called is done', async () => {
  const { lane, batches } = setup();
  const called = lane.call(1);
  await lane.whenIdle();
  expect(batches).toEqual([[1]]);
  await called;
});

it('is done with what was called until now, also when that fails', async () => {
  const { lane, batches } = setup((calls) => (calls.includes(1) ? new Error('one') : undefined));
  const called = lane.call(1);
  called.catch(() => {}); // looked at below
  await lane.whenDone();
  expect(batches).toEqual([[1]]);
  await expect(called).rejects.toThrow('one');
});
