import type { DequeuedTask } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { JobSupply } from './job-supply.js';

/** Nobody runs it here. */
const taskOf = (id: string): DequeuedTask => ({
  id,
  queue: 'mail',
  name: 'send',
  enqueuedAt: new Date(0),
  run: () => Promise.resolve(),
});

function setup(concurrency = 0) {
  const jobs: string[] = [];
  const failures: unknown[] = [];
  const state = { fetches: 0, breaksNext: false };
  const supply: JobSupply = new JobSupply('mail', concurrency, {
    async fetch() {
      state.fetches += 1;
      await Promise.resolve();
      if (state.breaksNext) {
        state.breaksNext = false;
        throw new Error('no server');
      }
      const id = jobs.shift();
      if (id !== undefined && supply.hasTakers) supply.serve(taskOf(id));
      return id !== undefined;
    },
    onFailed: (error) => failures.push(error),
  });
  supply.open();
  return { jobs, failures, state, supply };
}

describe('JobSupply', () => {
  it('fetches as many as there are who wait, and serves them in their order', async () => {
    const { jobs, state, supply } = setup();
    jobs.push('1', '2', '3');
    const tasks = await Promise.all([supply.dequeue(undefined), supply.dequeue(undefined)]);
    await supply.whenAtRest();
    expect(tasks.map(({ id }) => id)).toEqual(['1', '2']);
    expect([state.fetches, jobs]).toEqual([2, ['3']]);
  });

  it('asks again only when there may be something', async () => {
    const { jobs, state, supply } = setup();
    const taken = supply.dequeue(undefined);
    await supply.whenAtRest();
    expect(state.fetches).toBe(1);
    jobs.push('1');
    supply.fetchSoon();
    expect((await taken).id).toBe('1');
  });

  it('asks nothing while nobody waits, or it is paused', async () => {
    const { jobs, state, supply } = setup();
    jobs.push('1');
    supply.fetchSoon();
    supply.isPaused = true;
    const taken = supply.dequeue(undefined);
    await supply.whenAtRest();
    expect(state.fetches).toBe(0);
    supply.isPaused = false;
    supply.fetchSoon();
    expect((await taken).id).toBe('1');
  });

  it('tells a fetch that failed, and tries again the next time', async () => {
    const { jobs, failures, state, supply } = setup();
    state.breaksNext = true;
    jobs.push('1');
    const taken = supply.dequeue(undefined);
    await supply.whenAtRest();
    expect(failures).toEqual([new Error('no server')]);
    supply.fetchSoon();
    expect((await taken).id).toBe('1');
  });

  it('refuses whoever waits when it closes, and is at rest when what is on its way has come', async () => {
    const { state, supply } = setup();
    const taken = supply.dequeue(undefined);
    supply.close();
    await expect(taken).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    await expect(supply.dequeue(undefined)).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    await supply.whenAtRest();
    expect(state.fetches).toBe(1);
  });

  it('refuses where the queue has workers of its own', async () => {
    const { supply } = setup(1);
    await expect(supply.dequeue(undefined)).rejects.toMatchObject({ code: 'ILLEGAL_STATE' });
  });
});
