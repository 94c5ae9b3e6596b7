import { describe, expect, it } from 'vitest';
import {
  ArgumentOutOfRangeError,
  createBoundedChannel,
  createPriorityChannel,
  UnknownOptionError,
} from './index.js';
import { outcome, pending } from './outcome.fixture.js';

const bounded = (options: unknown) => () => createBoundedChannel(options as number);
const priority = (options: unknown) => () => createPriorityChannel(options as { compare: () => number });

describe('creating a channel', () => {
  it('C1 makes one without a buffer of a capacity of 0, as a number and as an option', () => {
    for (const capacity of [0, { capacity: 0 }]) {
      const { reader, writer } = createBoundedChannel<number>(capacity);
      expect([writer.tryWrite(1), reader.count]).toEqual([false, 0]);
    }
  });

  it('C1 makes one that waits of a capacity and nothing else', async () => {
    const { reader, writer } = createBoundedChannel<number>(1);
    writer.tryWrite(1);
    const write = writer.write(2);
    expect(await outcome(write)).toBe(pending);
    expect([await reader.read(), await reader.read()]).toEqual([1, 2]);
    await write;
  });

  it.each(['block', 'Wait', '', 0, null])('C2 is refused with a full mode of %j', (fullMode) => {
    const refusal = { code: 'ARGUMENT_OUT_OF_RANGE', argument: 'fullMode', got: fullMode };
    expect(bounded({ capacity: 1, fullMode })).toThrow(expect.objectContaining(refusal));
  });

  it.each([null, undefined])('C3 is refused with %s for options', (options) => {
    const refusal = { code: 'ARGUMENT_OUT_OF_RANGE', argument: 'options', got: options };
    expect(bounded(options)).toThrow(expect.objectContaining(refusal));
    expect(priority(options)).toThrow(expect.objectContaining(refusal));
  });

  it.each(['singleReader', 'singleWriter', 'allowSynchronousContinuations'])(
    'C4 C5 is refused with the promise %s, which nothing would read',
    (option) => {
      expect(bounded({ capacity: 1, [option]: true })).toThrow(UnknownOptionError);
      expect(priority({ compare: () => 0, [option]: true })).toThrow(UnknownOptionError);
    },
  );

  it('C59 is refused without an order of priority', () => {
    expect(priority({})).toThrow(ArgumentOutOfRangeError);
  });

  it('C59 takes any order: largest first when compare says so', () => {
    const { reader, writer } = createPriorityChannel<number>({ compare: (a, b) => b - a });
    for (const item of [2, 5, 1]) writer.tryWrite(item);
    expect([reader.tryRead(), reader.tryRead(), reader.tryRead()]).toEqual([5, 2, 1]);
  });
});
