import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../test/long-runs.js';
import { HeapBuffer } from './heap-buffer.js';

interface Item {
  readonly priority: number;
  readonly arrival: number;
}

const byPriority = (a: Item, b: Item): number => a.priority - b.priority;
type Operation = 'push' | 'shift' | 'replaceOldest' | 'replaceNewest';
const operation = fc.tuple(
  fc.constantFrom<Operation>('push', 'push', 'shift', 'replaceOldest', 'replaceNewest'),
  fc.nat(5),
);

// Of any length: left to itself fast-check prefers lists of about ten, which make a heap of three levels.
const operations = fc.array(operation, { maxLength: 200, size: 'max' });

/** The items in order of arrival; what a heap does, said slowly. */
class Model {
  private readonly items: Item[] = [];

  get first(): Item | undefined {
    return this.items.toSorted(byPriority)[0];
  }

  push(item: Item): void {
    this.items.push(item);
  }

  remove(item: Item | undefined): Item | undefined {
    if (item !== undefined) this.items.splice(this.items.indexOf(item), 1);
    return item;
  }

  at(index: number): Item | undefined {
    return this.items.at(index);
  }

  get size(): number {
    return this.items.length;
  }
}

/** Does the same to both, and tells what came out of each. */
function perform(buffer: HeapBuffer<Item> | undefined, model: Model, operation: Operation, item: Item) {
  if (operation === 'shift') return [buffer?.shift(), model.remove(model.first)];
  if (operation === 'push') return [buffer?.push(item), model.push(item)];
  const victim = model.remove(model.at(operation === 'replaceOldest' ? 0 : -1));
  model.push(item);
  return [buffer?.[operation](item), victim];
}

function breaks(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}

describe('HeapBuffer', longTimeout, () => {
  it('gives the smallest first, equals by arrival, and drops by age, whatever is done to it', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const buffer = new HeapBuffer<Item>(byPriority);
        const model = new Model();
        for (const [arrival, [name, priority]] of list.entries()) {
          const item = { priority, arrival };
          const [out, expected] = perform(buffer, model, model.size === 0 ? 'push' : name, item);
          expect(out).toBe(expected);
          expect(buffer.size).toBe(model.size);
          expect(buffer.peek()).toBe(model.first);
        }
        while (model.size > 0) expect(buffer.shift()).toBe(model.remove(model.first));
        expect(buffer.shift()).toBeUndefined();
      }),
      { numRuns: runs(100) },
    );
  });

  it('lets the entry that fills a gap rise when it comes from a branch of smaller ones', () => {
    const buffer = new HeapBuffer<number>((a, b) => a - b);
    for (const item of [6, 3, 1, 4, 5, 2]) buffer.push(item);
    expect(buffer.replaceOldest(0)).toBe(6);
    expect(Array.from({ length: 6 }, () => buffer.shift())).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is as it was when compare throws, at whichever comparison', () => {
    const cases = fc.tuple(fc.array(operation, { maxLength: 40, size: 'max' }), fc.infiniteStream(fc.nat(6)));
    fc.assert(
      fc.property(cases, ([list, patience]) => {
        const left = { comparisons: Infinity };
        const buffer = new HeapBuffer<Item>((a, b) => {
          if (left.comparisons-- <= 0) throw new Error('broken');
          return byPriority(a, b);
        });
        const model = new Model();
        for (const [arrival, [name, priority]] of list.entries()) {
          const item = { priority, arrival };
          const does = model.size === 0 ? 'push' : name;
          left.comparisons = patience.next().value!;
          const isBroken = breaks(() => (does === 'shift' ? buffer.shift() : buffer[does](item)));
          left.comparisons = Infinity;
          if (!isBroken) perform(undefined, model, does, item);
          expect(buffer.size).toBe(model.size);
          expect(buffer.peek()).toBe(model.first);
        }
        while (model.size > 0) expect(buffer.shift()).toBe(model.remove(model.first));
      }),
      { numRuns: runs(200) },
    );
  });

  it('takes an order that is no number for equality', () => {
    const buffer = new HeapBuffer<string>(() => Number.NaN);
    for (const item of ['a', 'b', 'c']) buffer.push(item);
    expect([buffer.shift(), buffer.shift(), buffer.shift()]).toEqual(['a', 'b', 'c']);
  });
});
