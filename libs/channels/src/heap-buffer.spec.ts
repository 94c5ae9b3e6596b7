import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
function perform(buffer: HeapBuffer<Item>, model: Model, operation: Operation, item: Item) {
  if (operation === 'shift') return [buffer.shift(), model.remove(model.first)];
  if (operation === 'push') return [buffer.push(item), model.push(item)];
  const victim = model.remove(model.at(operation === 'replaceOldest' ? 0 : -1));
  model.push(item);
  return [buffer[operation](item), victim];
}

describe('HeapBuffer', () => {
  it('gives the smallest first, equals by arrival, and drops by age, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const buffer = new HeapBuffer<Item>(byPriority);
        const model = new Model();
        for (const [arrival, [name, priority]] of operations.entries()) {
          const item = { priority, arrival };
          const [out, expected] = perform(buffer, model, model.size === 0 ? 'push' : name, item);
          expect(out).toBe(expected);
          expect(buffer.size).toBe(model.size);
          expect(buffer.peek()).toBe(model.first);
        }
        while (model.size > 0) expect(buffer.shift()).toBe(model.remove(model.first));
        expect(buffer.shift()).toBeUndefined();
      }),
    );
  });

  it('lets the entry that fills a gap rise when it comes from a branch of smaller ones', () => {
    const buffer = new HeapBuffer<number>((a, b) => a - b);
    for (const item of [11, 0, 1, 10, 12, 2]) buffer.push(item);
    expect(buffer.replaceOldest(3)).toBe(11);
    expect(Array.from({ length: 6 }, () => buffer.shift())).toEqual([0, 1, 2, 3, 10, 12]);
  });

  it('is as it was when compare throws', () => {
    let isBroken = false;
    const buffer = new HeapBuffer<number>((a, b) => {
      if (isBroken) throw new Error('broken');
      return a - b;
    });
    for (const item of [5, 3, 8, 1, 9, 2]) buffer.push(item);
    isBroken = true;
    expect(() => buffer.push(0)).toThrow('broken');
    expect(() => buffer.shift()).toThrow('broken');
    expect(() => buffer.replaceOldest(0)).toThrow('broken');
    isBroken = false;
    const items: (number | undefined)[] = [];
    while (buffer.size > 0) items.push(buffer.shift());
    expect(items).toEqual([1, 2, 3, 5, 8, 9]);
  });

  it('takes an order that is no number for equality', () => {
    const buffer = new HeapBuffer<string>(() => Number.NaN);
    for (const item of ['a', 'b', 'c']) buffer.push(item);
    expect([buffer.shift(), buffer.shift(), buffer.shift()]).toEqual(['a', 'b', 'c']);
  });
});
