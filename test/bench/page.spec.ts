import { describe, expect, it } from 'vitest';
import { atLeastTimes, atMost } from '../../bench/goal.js';
import type { MeasuredContender, MeasuredRow } from '../../bench/measured.js';
import { toPage } from '../../bench/page.js';
import { toLines } from '../../bench/report.js';

const ours: MeasuredContender = { name: 'enqueue(work)', role: 'ours', figures: [90, 100, 1_200] };
const variant: MeasuredContender = { name: 'tryEnqueue(work)', role: 'variant', figures: [300, 300, 300] };
const peer: MeasuredContender = {
  name: 'fastq',
  role: 'peer',
  goal: atLeastTimes(1),
  figures: [200, 200, 200],
  alone: 50,
};
const reference: MeasuredContender = { name: 'no queue', role: 'reference', figures: [400, 400, 400] };

function setup(changes: Partial<MeasuredRow> = {}): { page: string; lines: string[] } {
  const row: MeasuredRow = {
    id: 'closures',
    title: 'Closures, awaited',
    how: 'One at a time.',
    unit: 'items/ms',
    better: 'higher',
    contenders: [ours, variant, peer, reference],
    ...changes,
  };
  return { page: toPage([['Node', 'v20.0.0']], [row]), lines: toLines(row) };
}

describe('the page', () => {
  it('tells the goal, the figure and by how much it is missed when a goal is missed', () => {
    expect(setup().page).toContain(
      '| [Closures, awaited](#closures-awaited) | enqueue(work) | fastq | at least 1.00x | 0.50x | missed by 0.50x |',
    );
  });

  it('tells that a goal is met when it is', () => {
    const { page } = setup({ contenders: [ours, { ...peer, goal: atLeastTimes(0.5) }] });
    expect(page).toContain('| fastq | at least 0.50x | 0.50x | met |');
  });

  it('judges ours by its own figure when the goal is a value', () => {
    const { page } = setup({ unit: 'KB', contenders: [{ ...ours, goal: atMost(64) }, reference] });
    expect(page).toContain('| enqueue(work) |  | at most 64 KB | 100 KB | missed by 36.0 KB |');
  });

  it('holds the variant against no goal when it is only shown', () => {
    expect(setup().page).not.toContain('| tryEnqueue(work) | fastq |');
  });

  it('gives each contender its median, its spread, the ratio of each of ours, and its figure alone', () => {
    const { page } = setup();
    expect(page).toContain(
      '|  | median, items/ms | lowest to highest | ratio of enqueue(work) | ratio of tryEnqueue(work) | alone |',
    );
    expect(page).toContain('| **enqueue(work)** | 100 | 90.0 to 1,200 |  |  |  |');
    expect(page).toContain('| fastq | 200 | 200 to 200 | 0.50x | 1.50x | 50.0 |');
    expect(page).toContain('| no queue | 400 | 400 to 400 | 0.25x | 0.75x |  |');
  });

  it('says what bounds a row when that was found out', () => {
    expect(setup({ bound: 'Two awaits.' }).page).toContain('**What bounds it.** Two awaits.');
  });

  it('says that it is not known what bounds a row when a goal is missed without a word', () => {
    expect(setup().page).toContain('**What bounds it.** Not found out yet.');
  });

  it('says nothing of bounds when every goal is met', () => {
    expect(setup({ contenders: [ours, reference] }).page).not.toContain('What bounds it.');
  });

  it('says why a peer was skipped, and holds nothing against it', () => {
    const skipped = { ...peer, figures: [], skipped: 'there is no server.' };
    const { page } = setup({ contenders: [ours, skipped] });
    expect(page).toContain('**Skipped here.** fastq: there is no server.');
    expect(page).not.toContain('at least');
    expect(page).not.toContain('| fastq |');
  });

  it('describes the machine', () => {
    expect(setup().page).toContain('| Node | v20.0.0 |');
  });
});

describe('the lines for a terminal', () => {
  it('name the row, each contender and each verdict', () => {
    expect(setup().lines).toEqual([
      'closures: Closures, awaited [items/ms]',
      '  enqueue(work)           100  (90.0 to 1,200)',
      '  tryEnqueue(work)        300  (300 to 300)',
      '  fastq                   200  (200 to 200)  alone 50.0',
      '  no queue                400  (400 to 400)',
      '  > enqueue(work) against fastq: 0.50x, at least 1.00x: missed by 0.50x',
      '',
    ]);
  });

  it('say why a contender was skipped', () => {
    const skipped = { ...peer, figures: [], skipped: 'there is no server.' };
    expect(setup({ contenders: [ours, skipped] }).lines).toEqual([
      'closures: Closures, awaited [items/ms]',
      '  enqueue(work)        100  (90.0 to 1,200)',
      '  skipped fastq: there is no server.',
      '',
    ]);
  });
});
