import { describe, expect, it } from 'vitest';
import { SeededRandom } from './seeded-random.js';

const sequence = (seed: number) => {
  const random = new SeededRandom(seed);
  return Array.from({ length: 20 }, () => random.below(1_000));
};

describe('SeededRandom', () => {
  it('gives the same numbers when the seed is the same, and others when it is not', () => {
    expect(sequence(7)).toEqual(sequence(7));
    expect(sequence(7)).not.toEqual(sequence(8));
  });

  it('gives every number below the end, about equally often', () => {
    const random = new SeededRandom(1);
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < 5_000; draw += 1) counts[random.below(5)]! += 1;
    for (const count of counts) expect(count).toBeGreaterThan(800);
  });

  it('picks one of the values, and throws when there is none', () => {
    expect(['a', 'b']).toContain(new SeededRandom(1).pick(['a', 'b']));
    expect(() => new SeededRandom(1).pick([])).toThrow('nothing to pick');
  });
});
