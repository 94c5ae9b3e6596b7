import { relate, type Goal } from './goal.js';
import type { MeasuredContender, MeasuredRow, Verdict } from './measured.js';

/** Three digits that count; thousands set apart. */
export function inFigures(figure: number): string {
  const size = Math.abs(figure);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return figure.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const times = (figure: number): string => `${figure.toFixed(2)}x`;

export function wordGoal({ of, is, limit }: Goal, unit: string): string {
  const bound = is === 'atLeast' ? 'at least' : 'at most';
  if (of === 'ratio') return `${bound} ${times(limit)}`;
  return of === 'value' ? `${bound} ${limit} ${unit}` : `${bound} ${limit} ${unit} more`;
}

/** The figure that is judged: a ratio, a difference, or the value itself. */
export function wordFigure({ goal, figure, row: { unit } }: Verdict): string {
  if (goal.of === 'ratio') return times(figure);
  const sign = goal.of === 'difference' && figure > 0 ? '+' : '';
  return `${sign}${inFigures(figure)} ${unit}`;
}

export function wordOutcome({ isMet, missedBy, goal, row: { unit } }: Verdict): string {
  if (isMet) return 'met';
  const by = goal.of === 'ratio' ? times(missedBy) : `${inFigures(missedBy)} ${unit}`;
  return `missed by ${by}`;
}

/** The lowest and the highest figure. */
export function wordSpread({ figures }: MeasuredContender): string {
  return `${inFigures(Math.min(...figures))} to ${inFigures(Math.max(...figures))}`;
}

/** Ours held against another: how many times its figure. */
export function wordRatio(ours: MeasuredContender, other: MeasuredContender): string {
  return ours === other ? '' : times(relate('ratio', ours.figures, other.figures));
}

/** Those of a row that others are held against. */
export function ownOf(row: MeasuredRow): MeasuredContender[] {
  return row.contenders.filter(
    ({ role, skipped }) => (role === 'ours' || role === 'variant') && skipped === undefined,
  );
}

/** Those that were not measured, and why. */
export function wordSkipped({ contenders }: MeasuredRow): string[] {
  return contenders.flatMap(({ name, skipped }) => (skipped === undefined ? [] : `${name}: ${skipped}`));
}
