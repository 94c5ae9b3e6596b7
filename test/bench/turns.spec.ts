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
  return { log, row: inTurns(about, [contender('a'), contender('b')]) };
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
