import { describe, expect, it } from 'vitest';
import { cost, inTurns, speed, type About, type Repeatable } from '../../bench/comparison.js';

const about: About = { id: 'row', title: 'Row', how: '', unit: 'items/ms', better: 'higher' };

function setup() {
  const log: string[] = [];
  const contender = (name: string): Repeatable => {
    const prepare = async () => {
      log.push(`prepare ${name}`);
      let samples = 0;
      const sample = async (): Promise<number> => {
        log.push(name);
        return (samples += 1);
      };
      return { sample, close: async () => void log.push(`close ${name}`) };
    };
    return { name, role: 'peer', prepare };
  };
  return { log, contender, row: inTurns(about, [contender('a'), contender('b')]) };
}

const effort = { rounds: 3, scale: 1 };

describe('a row whose contenders take turns', () => {
  it('lets another one begin each round, prepares once and closes at the end', async () => {
    const { log, row } = setup();
    await row.samples(effort);
    const rounds = ['a', 'b', 'b', 'a', 'a', 'b', 'b', 'a', 'a', 'b'];
    expect(log).toEqual(['prepare a', 'prepare b', ...rounds, 'close a', 'close b']);
  });

  it('throws the figures away when they are of the first two rounds', async () => {
    expect(await setup().row.samples(effort)).toEqual([
      [3, 4, 5],
      [3, 4, 5],
    ]);
  });

  it('goes on without a contender that is skipped, and closes the others when one of them throws', async () => {
    const { log, contender } = setup();
    const why = { skipped: 'there is no server' };
    const skipped: Repeatable = { name: 'skipped', role: 'peer', prepare: async () => why };
    expect(await inTurns(about, [skipped, contender('a')]).samples(effort)).toEqual([why, [3, 4, 5]]);
    const broken: Repeatable = {
      name: 'broken',
      role: 'peer',
      prepare: () => Promise.reject(new Error('no')),
    };
    await expect(inTurns(about, [contender('c'), broken]).samples(effort)).rejects.toThrow('no');
    expect(log.at(-1)).toBe('close c');
  });

  it('prepares and measures nobody else when one is measured alone', async () => {
    const { log, row } = setup();
    expect(await row.samplesAlone!('b', effort)).toEqual([3, 4, 5]);
    expect(log.join(' ')).not.toContain('a ');
    expect(log).not.toContain('a');
  });
});

describe('speed and cost', () => {
  it.each([
    ['speed', speed, 20],
    ['cost', cost, 50],
  ])('%s is that of the whole amount when it took 50 ms', async (_, measure, expected) => {
    const amounts: number[] = [];
    const run = async (amount: number): Promise<void> => void amounts.push(amount);
    const prepared = measure(1_000, run, undefined, () => () => 50);
    expect(await prepared.sample()).toBe(expected);
    expect(amounts).toEqual([1_000]);
  });
});
