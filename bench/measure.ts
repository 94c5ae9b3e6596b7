import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Effort } from './comparison.js';
import { groups } from './groups.js';
import type { MeasuredContender, MeasuredRow } from './measured.js';
import type { Answer, Request } from './measuring-process.js';
import { median } from './statistics.js';

/** The rows whose id, or whose group's name, contains `word`, group by group, each measured in a process of its own. */
export async function* measureRows(word: string, effort: Effort): AsyncIterable<MeasuredRow> {
  for (const [group, rowsOf] of Object.entries(groups)) {
    const rows = (await rowsOf())
      .map(({ about }) => about.id)
      .filter((id) => `${group} ${id}`.includes(word));
    if (rows.length === 0) continue;
    const measured = (await measureApart({ group, rows, effort })) as readonly MeasuredRow[];
    for (const row of measured) yield row.alsoAlone ? await withFiguresAlone(group, row, effort) : row;
  }
}

async function withFiguresAlone(group: string, row: MeasuredRow, effort: Effort): Promise<MeasuredRow> {
  const contenders: MeasuredContender[] = [];
  for (const contender of row.contenders) {
    const isOurs = contender.role === 'ours' || contender.role === 'variant';
    contenders.push(
      isOurs || contender.skipped !== undefined
        ? contender
        : { ...contender, alone: await medianAlone(contender.name) },
    );
  }
  return { ...row, contenders };

  async function medianAlone(name: string): Promise<number> {
    return median((await measureApart({ group, rows: [row.id], alone: name, effort })) as readonly number[]);
  }
}

async function measureApart(request: Request): Promise<Answer> {
  const child = fork(new URL('measuring-process.js', import.meta.url), [JSON.stringify(request)]);
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const answered = once(child, 'message') as Promise<[Answer]>;
  const failed = ended.then(([code]) => {
    throw new Error(
      `The process that measured ${request.rows.join(', ')} ended with code ${code} and no answer.`,
    );
  });
  const [answer] = await Promise.race([answered, failed]);
  await failed.catch(() => {}); // it ends after its answer, too
  return answer;
}
