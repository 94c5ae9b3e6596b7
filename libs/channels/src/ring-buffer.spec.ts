import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingBuffer } from './ring-buffer.js';

const operation = fc.constantFrom<Operation>('push', 'push', 'shift', 'replaceOldest', 'replaceNewest');
// Of any length: left to itself fast-check prefers lists of about ten, and the circle first grows at seventeen items.
const operations = fc.array(operation, { maxLength: 200, size: 'max' });

type Operation = 'push' | 'shift' | 'replaceOldest' | 'replaceNewest';

/** Does the same to both, and tells what came out of each. */
function perform(buffer: RingBuffer<number>, model: number[], operation: Operation, item: number) {
  if (operation === 'shift') return [buffer.shift(), model.shift()];
  if (operation === 'push') return [buffer.push(item), void model.push(item)];
  const expected = operation === 'replaceOldest' ? model.shift() : model.pop();
  model.push(item);
  return [buffer[operation](item), expected];
}

/** The bytes in use once everything that can be collected has been. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

describe('RingBuffer', () => {
  it('does what an array does, whatever is done to it', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const buffer = new RingBuffer<number>();
        const model: number[] = [];
        for (const [item, name] of list.entries()) {
          const [out, expected] = perform(buffer, model, model.length === 0 ? 'push' : name, item);
          expect(out).toBe(expected);
          expect(buffer.size).toBe(model.length);
          expect(buffer.peek()).toBe(model[0]);
        }
      }),
    );
  });

  it('has nothing to give when it is new', () => {
    const buffer = new RingBuffer<number>();
    expect([buffer.size, buffer.peek(), buffer.shift()]).toEqual([0, undefined, undefined]);
  });

  it('keeps the order when it grows in the middle of its circle', () => {
    const buffer = new RingBuffer<number>();
    for (let item = 0; item < 16; item++) buffer.push(item);
    for (let item = 0; item < 5; item++) expect(buffer.shift()).toBe(item);
    for (let item = 16; item < 40; item++) buffer.push(item);
    for (let item = 5; item < 40; item++) expect(buffer.shift()).toBe(item);
    expect([buffer.size, buffer.peek()]).toEqual([0, undefined]);
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

describe('The memory of a RingBuffer', () => {
  const megabyte = 2 ** 20;
  const items = megabyte; // eight bytes each

  it('is let go when a burst has been read to its end', () => {
    const before = heapInUse();
    const buffer = new RingBuffer<number>();
    for (let item = 0; item < items; item++) buffer.push(item);
    expect(heapInUse() - before).toBeGreaterThan(4 * megabyte);
    for (let item = 0; item < items; item++) buffer.shift();
    expect(heapInUse() - before).toBeLessThan(megabyte);
    expect(buffer.size).toBe(0);
  });

  it('does not grow when as much is read as is written', () => {
    const before = heapInUse();
    const buffer = new RingBuffer<number>();
    buffer.push(0);
    for (let item = 1; item < items; item++) {
      buffer.push(item);
      buffer.shift();
    }
    expect(heapInUse() - before).toBeLessThan(megabyte);
    expect(buffer.size).toBe(1);
  });
});
