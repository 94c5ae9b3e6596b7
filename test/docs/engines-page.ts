import { format, resolveConfig } from 'prettier';
import type { BackgroundEngine, EngineCapabilities, EngineFeature } from 'nestjs-nightshift';

/** One column of the table. */
export interface EngineColumn {
  readonly title: string;
  /** Where its guide is, from docs/. */
  readonly guide: string;
  readonly capabilities: EngineCapabilities;
  /** Whether it can see to it that a tick runs in one process only. */
  readonly hasOccurrences: boolean;
  /** What processes can work on one store. */
  readonly reach: string;
}

export function columnOf(
  engine: BackgroundEngine,
  about: Pick<EngineColumn, 'title' | 'guide' | 'reach'>,
): EngineColumn {
  const { capabilities, occurrences } = engine;
  return { ...about, capabilities, hasOccurrences: occurrences !== undefined };
}

/** What users know each feature as. */
const features: Readonly<Record<EngineFeature, string>> = {
  closures: '`enqueue()` of a closure',
  tryEnqueue: '`tryEnqueue()`',
  dequeue: '`dequeue()`, for workers of your own',
  transaction: '`enqueue(..., { transaction })`',
  priority: '`priority`',
  expiresIn: '`expiresIn`',
  deduplicationKey: '`deduplicationKey`',
  concurrencyKey: '`concurrencyKey`',
  rateLimit: '`rateLimit` of a queue',
  capacity: '`capacity` of a queue',
  dropping: '`fullMode` other than `wait`',
  retryFunctions: 'functions in `enqueue(..., { retry })`',
  progress: '`progress()` and `log()`',
  search: 'search, counts, and what is done to what is found',
};

const introduction = `# Engines

Where a queue keeps its tasks is the business of its engine; what tasks, handlers and options look like is not. So an application begins in memory, goes on on a file, and moves to a server when one machine is not enough, with one line changed: \`forRoot({ engine })\`, or \`engine\` of a single queue.

## What each can do

The table is made from what the engines say of themselves, and a test keeps it true. What an engine lacks it refuses with \`NotSupportedError\` (\`NOT_SUPPORTED\`), when the queue is made or at \`enqueue()\`; nothing is ignored.`;

const choice = `## Which one

- **Memory** for what may be lost with the process, and can be done again: a cache to refresh, a picture that the next request asks for anew.
- **SQLite** for what must not be lost, on one machine: nothing to install or to run beside the application, and the fastest of them. Several processes may share the file, if its disk is theirs and not a network's.
- **PostgreSQL** when several machines share the work and the data is there anyway: a task can be enqueued in the transaction that makes the row it is about, and there is one server to back up.
- **BullMQ** when Redis or Valkey is there anyway, or others who use BullMQ add jobs or look at them. It is as durable as its server is set up to be.

They can be mixed: thumbnails in memory and invoices in PostgreSQL is two queues with an \`engine\` each. How much each of them does, and what to do when it is not enough, is in [scaling](scaling.md). An engine of your own is described in [writing an engine](guides/writing-an-engine.md).`;

/** The page about these engines, as Markdown, formatted for the file where it goes. */
export async function renderEnginesPage(columns: readonly EngineColumn[], file: string): Promise<string> {
  const text = [introduction, featureTable(columns), reasons(columns), choice].join('\n\n');
  return format(text, { ...(await resolveConfig(file)), parser: 'markdown' });
}

function featureTable(columns: readonly EngineColumn[]): string {
  const head = ['', ...columns.map(({ title, guide }) => `[${title}](${guide})`)];
  const rows = Object.entries(features).map(([feature, title]) => [
    title,
    ...columns.map(({ capabilities: { lacks } }) => yesOrNo(!(feature in lacks))),
  ]);
  return [
    head,
    head.map(() => '---'),
    ['shared by', ...columns.map(({ reach }) => reach)],
    ['tasks survive the process', ...columns.map(({ capabilities }) => yesOrNo(capabilities.durable))],
    ['`exclusive` ticks', ...columns.map(({ hasOccurrences }) => yesOrNo(hasOccurrences))],
    ...rows,
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function reasons(columns: readonly EngineColumn[]): string {
  const said = new Map<string, string[]>();
  for (const { title, capabilities } of columns)
    for (const [feature, reason] of Object.entries(capabilities.lacks)) {
      const line = `${features[feature as EngineFeature]}: ${reason}.`;
      said.set(line, [...(said.get(line) ?? []), title]);
    }
  return `Why not:\n\n${[...said].map(([line, titles]) => `- ${titles.join(', ')}: ${line}`).join('\n')}`;
}

function yesOrNo(is: boolean): string {
  return is ? 'yes' : '—';
}
