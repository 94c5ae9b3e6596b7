import type { About, Contender, Figures, Row, Skipped } from './comparison.js';
import { judge, type Goal, type Judgement } from './goal.js';

/** A row with its figures: plain data, which passes from the process that measured to the one that reports. */
export interface MeasuredRow extends About {
  readonly contenders: readonly MeasuredContender[];
}

export interface MeasuredContender extends Contender {
  /** One for each round; none when it was skipped. */
  readonly figures: Figures;
  /** Why it was not measured. */
  readonly skipped?: string;
  /** The median in a process of its own, where nothing of ours is loaded. */
  readonly alone?: number;
}

/** One goal of a row, held against one of ours. */
export interface Verdict extends Judgement {
  readonly row: MeasuredRow;
  readonly ours: MeasuredContender;
  readonly other: MeasuredContender;
  readonly goal: Goal;
}

/** @param samples the figures of each contender */
export function toMeasured(row: Row, samples: readonly (Figures | Skipped)[]): MeasuredRow {
  const contenders = row.contenders.map(({ name, role, goal }, index) => {
    const sample = samples[index]!;
    const told = 'skipped' in sample ? { figures: [], skipped: sample.skipped } : { figures: sample };
    return { name, role, ...(goal && { goal }), ...told };
  });
  return { ...row.about, contenders };
}

/** Holds everything that is ours against every goal of the row, as far as both were measured. */
export function verdictsOf(row: MeasuredRow): Verdict[] {
  const measured = row.contenders.filter(({ skipped }) => skipped === undefined);
  const all = measured.filter(({ role }) => role === 'ours');
  return measured.flatMap((other) => {
    const { goal } = other;
    if (goal === undefined) return [];
    const held = goal.of === 'value' ? [other] : all;
    return held.map((ours) => ({ row, ours, other, goal, ...judge(goal, ours.figures, other.figures) }));
  });
}
