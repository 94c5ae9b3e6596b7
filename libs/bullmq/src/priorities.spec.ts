import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duePriority, fromBullmqPriority, hasPlace, priorityLimit, toBullmqPriority } from './priorities.js';

const priorities = fc.integer({ min: -priorityLimit, max: priorityLimit });

describe('the priority of a job', () => {
  it('is a number that BullMQ takes, and can be read back', () => {
    fc.assert(
      fc.property(priorities, fc.boolean(), (priority, isDue) => {
        const job = toBullmqPriority(priority, isDue);
        expect(job).toBeGreaterThanOrEqual(1);
        expect(job).toBeLessThanOrEqual(2 ** 21 - 1);
        expect(fromBullmqPriority(job)).toBe(priority);
      }),
    );
  });

  it('keeps the order, and what has fallen due goes first among equals', () => {
    fc.assert(
      fc.property(priorities, priorities, (a, b) => {
        fc.pre(a < b);
        expect(toBullmqPriority(a, false)).toBeLessThan(toBullmqPriority(b, true));
        expect(toBullmqPriority(a, true)).toBeLessThan(toBullmqPriority(a, false));
      }),
    );
  });

  it('becomes that of one that has fallen due, and a job without one still has none', () => {
    fc.assert(
      fc.property(priorities, fc.boolean(), (priority, isDue) => {
        expect(duePriority(toBullmqPriority(priority, isDue))).toBe(toBullmqPriority(priority, true));
      }),
    );
    expect(duePriority(0)).toBe(0);
  });

  it('has no place for numbers beyond', () => {
    expect([hasPlace(priorityLimit), hasPlace(priorityLimit + 1), hasPlace(-priorityLimit - 1)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('of a job without one is 0', () => {
    expect(fromBullmqPriority(0)).toBe(0);
  });
});
