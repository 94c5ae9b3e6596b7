import { verdictsOf, type MeasuredRow } from './measured.js';
import { median } from './statistics.js';
import { inFigures, wordFigure, wordGoal, wordOutcome, wordSkipped, wordSpread } from './wording.js';

/** A row as lines for a terminal. */
export function toLines(row: MeasuredRow): string[] {
  const width = Math.max(...row.contenders.map(({ name }) => name.length));
  const measured = row.contenders.filter(({ skipped }) => skipped === undefined);
  const contenders = measured.map((contender) => {
    const { name, figures, alone } = contender;
    const spread = figures.length === 1 ? '' : `(${wordSpread(contender)})`;
    const apart = alone === undefined ? '' : `  alone ${inFigures(alone)}`;
    return `  ${name.padEnd(width)}  ${inFigures(median(figures)).padStart(9)}  ${spread}${apart}`.trimEnd();
  });
  const verdicts = verdictsOf(row).map((verdict) => {
    const { ours, other, goal } = verdict;
    const against = ours === other ? '' : ` against ${other.name}`;
    return `  > ${ours.name}${against}: ${wordFigure(verdict)}, ${wordGoal(goal, row.unit)}: ${wordOutcome(verdict)}`;
  });
  const skipped = wordSkipped(row).map((words) => `  skipped ${words}`);
  return [`${row.id}: ${row.title} [${row.unit}]`, ...contenders, ...skipped, ...verdicts, ''];
}
