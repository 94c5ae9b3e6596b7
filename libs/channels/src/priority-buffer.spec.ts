import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeapBuffer } from './heap-buffer.js';
import { PriorityBuffer } from './priority-buffer.js';

interface Item {
  readonly rank: number;
  readonly number: number;
}
const byRank = (a: Item, b: Item): number => a.rank - b.rank;

describe('PriorityBuffer', () => {
  it('is indistinguishable from a heap, whatever is done to it', () => {
    const action = fc.record({
      kind: fc.constantFrom('push', 'push', 'shift', 'replaceOldest', 'replaceNewest'),
      rank: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -1, max: 1 }) },
      ),
    });
    const property = fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const buffers = [new PriorityBuffer(byRank), new HeapBuffer(byRank)];
      for (const [number, { kind, rank }] of actions.entries()) {
        const [ours, heaps] = buffers.map((buffer) => {
          if (kind === 'shift') return buffer.shift();
          if (kind === 'push' || buffer.size === 0) return buffer.push({ rank, number });
          return kind === 'replaceOldest'
            ? buffer.replaceOldest({ rank, number })
            : buffer.replaceNewest({ rank, number });
        });
        expect(ours).toEqual(heaps);
        expect([buffers[0]!.size, buffers[0]!.peek()]).toEqual([buffers[1]!.size, buffers[1]!.peek()]);
      }
    });
    fc.assert(property);
  });

  it('compares each item once, on its way in, while all are equal', () => {
    const compared: Item[] = [];
    const buffer = new PriorityBuffer<Item>((a, b) => {
      compared.push(a);
      return byRank(a, b);
    });
    for (let number = 0; number < 100; number += 1) buffer.push({ rank: 0, number });
    for (let number = 0; number < 100; number += 1) expect(buffer.shift()).toEqual({ rank: 0, number });
    expect(compared).toHaveLength(99);
  });

  it('keeps everything as it was when compare throws', () => {
    const buffer = new PriorityBuffer<Item>((a, b) => {
      if (a.number === 2) throw new Error('incomparable');
      if (a.number === 4 && b.number === 1) throw new Error('incomparable');
      return byRank(a, b);
    });
    for (const number of [0, 1]) buffer.push({ rank: 1, number });
    expect(() => buffer.push({ rank: 1, number: 2 })).toThrow('incomparable');
    expect(() => buffer.replaceOldest({ rank: 0, number: 2 })).toThrow('incomparable');
    expect([buffer.size, buffer.shift()?.number, buffer.shift()?.number]).toEqual([2, 0, 1]);
  });

  it('keeps everything as it was when compare throws while the first unequal item comes', () => {
    const armed = { throws: false };
    const buffer = new PriorityBuffer<Item>((a, b) => {
      if (armed.throws && a.number < 5) throw new Error('incomparable');
      return byRank(a, b);
    });
    for (const number of [0, 1, 2]) buffer.push({ rank: 1, number });
    armed.throws = true;
    expect(() => buffer.push({ rank: 0, number: 9 })).toThrow('incomparable');
    expect([0, 1, 2].map(() => buffer.shift()?.number)).toEqual([0, 1, 2]);
  });
});
