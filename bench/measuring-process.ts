import { groups } from './groups.js';
import type { Effort, Figures, Row, Skipped } from './comparison.js';
import { toMeasured, type MeasuredRow } from './measured.js';

/** What a process of its own is asked to measure: rows of one group, or one contender of one row. */
export interface Request {
  readonly group: string;
  readonly rows: readonly string[];
  readonly alone?: string;
  readonly effort: Effort;
}

/** What it answers: the rows, or the figures of the contender. */
export type Answer = readonly MeasuredRow[] | Figures | Skipped;

const request = JSON.parse(process.argv[2]!) as Request;
const rows = (await groups[request.group]!()).filter(({ about }) => request.rows.includes(about.id));
process.send!(await (request.alone === undefined ? measureAll(rows) : measureAlone(rows[0]!, request.alone)));
process.disconnect();

async function measureAll(all: readonly Row[]): Promise<Answer> {
  const measured: MeasuredRow[] = [];
  for (const row of all) measured.push(toMeasured(row, await row.samples(request.effort)));
  return measured;
}

function measureAlone(row: Row, contender: string): Promise<Answer> {
  return row.samplesAlone!(contender, request.effort);
}
