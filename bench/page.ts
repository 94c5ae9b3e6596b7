import { verdictsOf, type MeasuredContender, type MeasuredRow } from './measured.js';
import { median } from './statistics.js';
import {
  inFigures,
  ownOf,
  wordFigure,
  wordGoal,
  wordOutcome,
  wordRatio,
  wordSkipped,
  wordSpread,
} from './wording.js';

const introduction = `# Benchmarks

Written by \`npm run bench\`; do not edit. What is worded by hand stands beside each row in \`bench/\`.

## How to read this

- Ours is held against the current release of its peers, in one run on one machine. Take the ratios, not the figures: they depend on the machine.
- The contenders of a row take turns in one process, several rounds, another one first in each; a figure is the median of the rounds, with the lowest and the highest. What slows the machine for a while slows them all.
- Time in which the process stood in line for a processor that other processes held is not counted, where the system tells it (Linux does). It is counted in lateness and latency, and where threads or servers do part of the work: in all rows of durable tasks.
- They share the process, so they share what it is like. On Node 20 an \`AsyncLocalStorage\` that was once used makes every \`await\` in the process slower, in peers too; Nightshift uses one, as most request loggers, tracers and \`nestjs-cls\` do. Where that matters, *alone* is the same contender in a process of its own, with nothing of ours loaded.
- \`ratio\` is ours divided by the other, round by round, and of that the median: of speeds the more the better, of times and sizes the less.
- A peer whose server was not there when the page was made is skipped, and the row says so.
- A goal that is missed says so, by how much, and what bounds it.
`;

/** The whole page. Its tables are narrow: whoever writes it to a file formats it. */
export function toPage(
  machine: readonly (readonly [label: string, text: string])[],
  rows: readonly MeasuredRow[],
): string {
  return [
    introduction,
    '## Where it was measured\n',
    table(['', ''], machine),
    '## Goals\n',
    goals(rows),
    ...rows.map(section),
  ].join('\n');
}

function goals(rows: readonly MeasuredRow[]): string {
  const lines = rows.flatMap(verdictsOf).map((verdict) => {
    const { row, ours, other, goal } = verdict;
    const against = ours === other ? '' : other.name;
    return [
      link(row),
      ours.name,
      against,
      wordGoal(goal, row.unit),
      wordFigure(verdict),
      wordOutcome(verdict),
    ];
  });
  return table(['row', 'ours', 'against', 'goal', 'measured', ''], lines);
}

function section(row: MeasuredRow): string {
  const isMissed = verdictsOf(row).some(({ isMet }) => !isMet);
  const bound = row.bound ?? (isMissed ? 'Not found out yet.' : undefined);
  return [
    `## ${row.title}\n`,
    `${row.how}\n`,
    figures(row),
    ...wordSkipped(row).map((words) => `**Skipped here.** ${words}\n`),
    ...(bound === undefined ? [] : [`**What bounds it.** ${bound}\n`]),
  ].join('\n');
}

function figures(row: MeasuredRow): string {
  const own = ownOf(row);
  const isAlone = row.contenders.some(({ alone }) => alone !== undefined);
  const head = ['', `median, ${row.unit}`, 'lowest to highest', ...own.map(({ name }) => `ratio of ${name}`)];
  const measured = row.contenders.filter(({ skipped }) => skipped === undefined);
  const lines = measured.map((each) => [
    nameOf(each),
    inFigures(median(each.figures)),
    each.figures.length === 1 ? '' : wordSpread(each),
    ...own.map((ours) => (own.includes(each) ? '' : wordRatio(ours, each))),
    ...(isAlone ? [each.alone === undefined ? '' : inFigures(each.alone)] : []),
  ]);
  return table(isAlone ? [...head, 'alone'] : head, lines);
}

function nameOf({ name, role }: MeasuredContender): string {
  return role === 'ours' ? `**${name}**` : name;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return `${[toLine(head), toLine(head.map(() => '---')), ...lines.map(toLine)].join('\n')}\n`;
}

const toLine = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const link = ({ title }: MeasuredRow): string =>
  `[${title}](#${title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')})`;
