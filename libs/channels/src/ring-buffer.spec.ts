import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingBuffer } from './ring-buffer.js';

const operation = fc.constantFrom<Operation>('push', 'push', 'shift', 'replaceOldest', 'replaceNewest');

type Operation = 'push' | 'shift' | 'replaceOldest' | 'replaceNewest';

/** Does the same to both, and tells what came out of each. */
function perform(buffer: RingBuffer<number>, model: number[], operation: Operation, item: number) {
  if (operation === 'shift') return [buffer.shift(), model.shift()];
  if (operation === 'push') return [buffer.push(item), void model.push(item)];
  const expected = operation === 'replaceOldest' ? model.shift() : model.pop();
  model.push(item);
  return [buffer[operation](item), expected];
}

describe('RingBuffer', () => {
  it('does what an array does, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const buffer = new RingBuffer<number>();
        const model: number[] = [];
        for (const [item, name] of operations.entries()) {
          const [out, expected] = perform(buffer, model, model.length === 0 ? 'push' : name, item);
          expect(out).toBe(expected);
          expect(buffer.size).toBe(model.length);
          expect(buffer.peek()).toBe(model[0]);
        }
      }),
    );
  });

  it('works on when a burst has made it large and it has run empty', () => {
    const buffer = new RingBuffer<number>();
    for (let round = 0; round < 3; round++) {
      for (let item = 0; item < 5_000; item++) buffer.push(item);
      for (let item = 0; item < 5_000; item++) expect(buffer.shift()).toBe(item);
      expect(buffer.shift()).toBeUndefined();
      expect(buffer.peek()).toBeUndefined();
    }
  });
});
