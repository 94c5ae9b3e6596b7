import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import type { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { InvalidWorkError } from '../errors.js';
import { isSettled } from '../gate.fixture.js';
import { setup } from './held-work.fixture.js';

async function progressOf(promise: Promise<unknown>, clock: ManualClock): Promise<'pending' | 'settled'> {
  return (await isSettled(promise, clock)) ? 'settled' : 'pending';
}

function resize(): void {}

describe('TaskQueue', () => {
  describe('naming', () => {
    it.each([
      ['as told, when told', () => {}, { name: 'resize photo 7' }, 'resize photo 7'],
      ['after the function', resize, {}, 'resize'],
      ['anonymous, when the function has no name', (() => () => {})(), {}, 'anonymous'],
    ])('calls a task %s', async (_, work, options, name) => {
      const { queue } = setup();
      expect((await queue.enqueue(work, options)).name).toBe(name);
    });
  });

  describe('accepting', () => {
    it('Q1 runs the work and hands it a context with a signal when a worker is free', async () => {
      const { queue, open } = setup();
      open();
      const handle = await queue.enqueue(({ signal }) => signal.aborted);
      expect(await handle.result()).toBe(false);
      expect(await handle.state()).toBe('completed');
    });

    it('Q2 makes the producer wait for space when as many tasks wait as it has capacity', async () => {
      const { queue, clock, held, finish, open } = setup({ capacity: 2 });
      open();
      await queue.enqueue(held('running'));
      await queue.enqueue(held('a'));
      await queue.enqueue(held('b'));
      expect([queue.active, queue.size, queue.capacity]).toEqual([1, 2, 2]);
      const blocked = queue.enqueue(held('c'));
      expect(await progressOf(blocked, clock)).toBe('pending');
      await finish('running');
      expect(await progressOf(blocked, clock)).toBe('settled');
      expect([queue.active, queue.size]).toEqual([1, 2]);
    });

    it('Q5 runs tasks one at a time in the order of enqueueing when nothing else is asked for', async () => {
      const { queue, ran, held, finish, open } = setup();
      open();
      for (const name of ['a', 'b', 'c']) await queue.enqueue(held(name));
      await finish('a');
      expect(ran).toEqual(['a', 'b']);
      await finish('b');
      await finish('c');
      expect(ran).toEqual(['a', 'b', 'c']);
    });

    it('admits blocked producers in their order when space comes free', async () => {
      const { queue, ran, held, finish, open } = setup({ capacity: 1 });
      open();
      const names = ['a', 'b', 'c', 'd', 'e'];
      const enqueued = names.map((name) => queue.enqueue(held(name)));
      for (const name of names) await finish(name);
      expect(await Promise.all(enqueued)).toHaveLength(5);
      expect(ran).toEqual(names);
    });

    it('accepts work before it is opened and runs it then', async () => {
      const { queue, clock, ran, held, open } = setup();
      await queue.enqueue(held('early'));
      await clock.advance(0);
      expect(ran).toEqual([]);
      open();
      await clock.advance(0);
      expect(ran).toEqual(['early']);
    });

    it('never runs the work inside the enqueue call', async () => {
      const { queue, ran, held, clock, open } = setup();
      open();
      void queue.enqueue(held('a'));
      queue.tryEnqueue(held('b'));
      expect(ran).toEqual([]);
      await clock.advance(0);
      expect(ran).toEqual(['a']);
    });

    it('runs as many tasks at once as its concurrency', async () => {
      const { queue, ran, held, finish, open } = setup({ concurrency: 3 });
      open();
      for (const name of ['a', 'b', 'c', 'd']) await queue.enqueue(held(name));
      expect([queue.active, queue.size]).toEqual([3, 1]);
      await finish('b');
      expect(ran).toEqual(['a', 'b', 'c', 'd']);
      expect([queue.active, queue.size]).toEqual([3, 0]);
    });

    it('accepts a task only when a worker takes it when its capacity is 0', async () => {
      const { queue, clock, ran, held, finish, open } = setup({ capacity: 0 });
      const early = queue.enqueue(held('a'));
      expect(await progressOf(early, clock)).toBe('pending');
      open();
      expect(await progressOf(early, clock)).toBe('settled');
      expect(queue.tryEnqueue(held('no'))).toBeUndefined();
      const next = queue.enqueue(held('b'));
      expect(await progressOf(next, clock)).toBe('pending');
      await finish('a');
      expect(ran).toEqual(['a', 'b']);
      expect((await next).name).toBe('anonymous');
    });
  });

  describe('tryEnqueue', () => {
    it('returns the handle when there is room and undefined when there is none', async () => {
      const { queue, held, finish, open } = setup({ capacity: 1 });
      open();
      expect(queue.tryEnqueue(held('a'))?.queue).toBe('default');
      expect(queue.tryEnqueue(held('b'))).toBeDefined();
      expect(queue.tryEnqueue(held('c'))).toBeUndefined();
      await finish('a');
      expect(queue.tryEnqueue(held('c'))).toBeDefined();
    });

    it('does not overtake a producer who waits', async () => {
      const { queue, ran, held, finish, open } = setup({ capacity: 1 });
      open();
      await queue.enqueue(held('a'));
      await queue.enqueue(held('b'));
      const blocked = queue.enqueue(held('c'));
      await finish('a');
      expect(queue.tryEnqueue(held('d'))).toBeUndefined();
      await blocked;
      await finish('b');
      expect(ran).toEqual(['a', 'b', 'c']);
    });

    it('leaves nothing behind when it is refused', async () => {
      const { queue, held, finish, open } = setup({ capacity: 0 });
      open();
      queue.tryEnqueue(held('a'));
      queue.tryEnqueue(held('b'));
      const idle = queue.whenIdle();
      await finish('a');
      await expect(idle).resolves.toBeUndefined();
    });
  });

  describe('the enqueue signal', () => {
    it('gives up waiting for space with its reason when it is aborted', async () => {
      const { queue, held, open } = setup({ capacity: 0 });
      open();
      await queue.enqueue(held('a'));
      const controller = new AbortController();
      const blocked = queue.enqueue(held('b'), { signal: controller.signal });
      controller.abort(new Error('client went away'));
      await expect(blocked).rejects.toThrow('client went away');
    });

    it('refuses at once when it is aborted already, even if there is room', async () => {
      const { queue, held } = setup();
      const reason = new Error('too late');
      await expect(queue.enqueue(held('a'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(queue.size).toBe(0);
    });

    it('does not touch a task that was accepted when it is aborted afterwards', async () => {
      const { queue, clock, ran, held, open } = setup();
      const controller = new AbortController();
      const handle = await queue.enqueue(held('a'), { signal: controller.signal });
      controller.abort();
      open();
      await clock.advance(0);
      expect(ran).toEqual(['a']);
      expect(await handle.state()).toBe('active');
    });
  });

  describe('bad input', () => {
    it.each([undefined, null, 'resize', {}, 42])('Q3 throws at once when the work is %j', (work) => {
      const { queue } = setup();
      expect(() => queue.enqueue(work as never)).toThrow(InvalidWorkError);
      expect(() => queue.tryEnqueue(work as never)).toThrow(InvalidWorkError);
      expect(queue.size).toBe(0);
    });

    it('throws at once naming all problems when the options are wrong', () => {
      const { queue } = setup();
      const options = { timeout: 'soon', metadata: 5, signal: {}, priorty: 1 };
      const enqueue = () => queue.enqueue(() => {}, options as never);
      expect(enqueue).toThrow(InvalidOptionsError);
      expect(enqueue).toThrow(/enqueue\.priorty[^]*enqueue\.metadata[^]*enqueue\.timeout[^]*enqueue\.signal/);
      expect(queue.size).toBe(0);
    });
  });
});
