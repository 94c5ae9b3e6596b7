import { memoryEngine, NotSupportedError, type BackgroundEngine, type QueueEngine } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { queueEngineContract, type QueueEngineContractSetup } from '../index.js';

type Enqueue = QueueEngine['enqueue'];

/** An engine in memory that does something else when a task is enqueued, and says that it lacks `priority` if told so. */
function altered(alter: (enqueue: Enqueue) => Enqueue, lacksPriority = false): BackgroundEngine {
  const engine = memoryEngine();
  const { durable, lacks } = engine.capabilities;
  return {
    ...engine,
    capabilities: { durable, lacks: lacksPriority ? { ...lacks, priority: 'for the test' } : lacks },
    createQueue: (options, dependencies) => {
      const queue = engine.createQueue(options, dependencies);
      queue.enqueue = alter(queue.enqueue.bind(queue));
      return queue;
    },
  };
}

function setup(create: () => BackgroundEngine, overrides: Partial<QueueEngineContractSetup> = {}) {
  const { capabilities } = create();
  const cases = queueEngineContract({
    capabilities,
    clock: 'manual',
    within: '200ms',
    createStore: () => ({ createEngine: create }),
    ...overrides,
  });
  const names = cases.map(({ name }) => name);
  const play = (name: string) => cases.find((each) => each.name.includes(name))!.run();
  return { names, play };
}

const asItIs = (enqueue: Enqueue): Enqueue => enqueue;
const withoutPriority =
  (enqueue: Enqueue): Enqueue =>
  (request) =>
    enqueue({ ...request, options: { ...request.options, priority: 0 } });

const refuse =
  (enqueue: Enqueue): Enqueue =>
  (request) =>
    request.options.priority === 0
      ? enqueue(request)
      : Promise.reject(new NotSupportedError('altered', 'priority', 'for the test'));
const leavingTimers = (): BackgroundEngine => {
  const engine = memoryEngine();
  return {
    ...engine,
    open: ({ clock }) => {
      clock.schedule(1e9, () => {});
      return Promise.resolve();
    },
  };
};

describe('queueEngineContract', () => {
  it('has cases with names of their own', () => {
    const { names } = setup(() => memoryEngine());
    expect(names.length).toBeGreaterThan(100);
    expect(new Set(names).size).toBe(names.length);
  });

  it('leaves out what the engine cannot do, and asks that it be refused', () => {
    const { names } = setup(() => altered(asItIs, true));
    expect(names.filter((name) => name.includes('the smallest priority'))).toEqual([]);
    expect(names).toContain('refusing: priority, which the engine says it lacks');
  });

  it('asks for no second engine where none would see the tasks', () => {
    const { names } = setup(() => memoryEngine());
    expect(names.filter((name) => /another engine|crashing/.test(name))).toEqual([]);
    const shared = setup(() => memoryEngine(), { isShared: true });
    expect(shared.names.filter((name) => /another engine|crashing/.test(name)).length).toBeGreaterThan(5);
  });

  it('fails an engine that does not keep what it promises, and says what it waited for', async () => {
    const { play } = setup(() => altered(withoutPriority));
    await expect(play('the smallest priority')).rejects.toThrow(/deep-equal|In time it should be so/);
  });

  it('fails an engine that does something that it says it lacks', async () => {
    const { play } = setup(() => altered(withoutPriority, true));
    await expect(play('refusing: priority')).rejects.toThrow('It should reject with NOT_SUPPORTED');
  });

  it('passes an engine that refuses what it lacks', async () => {
    const { play } = setup(() => altered(refuse, true));
    await expect(play('refusing: priority')).resolves.toBeUndefined();
  });

  it('fails an engine that leaves a timer behind', async () => {
    const { play } = setup(leavingTimers);
    await expect(play('a typed task runs')).rejects.toThrow('No timer may be armed');
  });

  it('closes what a case has opened when it fails, and removes the store', async () => {
    const ended: string[] = [];
    const create = (): BackgroundEngine => {
      const engine = altered(() => () => Promise.reject(new Error('out of order')));
      return { ...engine, close: () => Promise.resolve(void ended.push('closed')) };
    };
    const createStore = () => ({ createEngine: create, remove: () => void ended.push('removed') });
    const { play } = setup(create, { createStore });
    await expect(play('a typed task runs')).rejects.toThrow('out of order');
    expect(ended).toEqual(['closed', 'removed']);
  });

  it('reports everything that is wrong with the setup at once', () => {
    const wrong = { capabilities: 7, createStore: 'x', clock: 'sundial', momnet: '1s' };
    expect(() => queueEngineContract(wrong as never)).toThrow(
      expect.objectContaining({ problems: expect.objectContaining({ length: 4 }) as unknown }) as never,
    );
    expect(() => queueEngineContract(undefined as never)).toThrow('setup must be an object');
  });
});
