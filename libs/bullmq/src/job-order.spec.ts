import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareJobs, JobIds, placeOf, toBullmqName } from './job-order.js';

const now = Date.UTC(2026, 10, 29);

describe('the ids of jobs', () => {
  it('come later in the alphabet, and have later places, when they are made later', () => {
    const ids = new JobIds();
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 2, maxLength: 50 }), (steps) => {
        let at = now;
        const made = steps.map((step) => ids.next((at += step)));
        expect(made.toSorted()).toEqual(made);
        const places = made.map((id) => placeOf(id, 0));
        expect(places.toSorted((a, b) => a - b)).toEqual(places);
        expect(new Set(places).size).toBe(places.length);
        expect(places.every(Number.isSafeInteger)).toBe(true);
      }),
    );
  });

  it('of BullMQ are placed by when they were added', () => {
    const ours = new JobIds().next(now);
    expect(placeOf('17', now - 5)).toBeLessThan(placeOf(ours, now));
    expect(placeOf('17', now + 5)).toBeGreaterThan(placeOf(ours, now));
    expect(placeOf('17', now)).toBeLessThan(placeOf('18', now));
  });
});

describe('the order of jobs', () => {
  it('is by place, and by id among those that share one', () => {
    const jobs = [
      { place: 2, id: 'a' },
      { place: 1, id: 'c' },
      { place: 1, id: 'b' },
    ];
    expect(jobs.toSorted(compareJobs).map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    expect(compareJobs(jobs[0]!, { ...jobs[0]! })).toBe(0);
  });
});

describe('the name of a queue at BullMQ', () => {
  it('is the same, but for colons', () => {
    expect(toBullmqName('mail')).toBe('mail');
    const names = ['a:b', 'a%3Ab', 'a%b', 'a'].map(toBullmqName);
    expect(new Set(names).size).toBe(4);
    expect(names.some((name) => name.includes(':'))).toBe(false);
  });
});
