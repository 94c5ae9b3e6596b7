import type { Simulated } from './simulation.js';
import type { Stretch } from './stretch.js';
import { callsOf } from './tally.js';

type Column = readonly [title: string, cell: (each: Simulated, first: Simulated) => string];

/** What the workers of one store did, in two tables; columns of which nothing is known are left out. */
export function toTables(name: string, setup: string, simulated: readonly Simulated[]): string {
  const parts = [
    `### ${name}`,
    setup,
    'With a backlog:',
    toTable(backlogColumns, simulated),
    ...simulated.filter(({ hasRunDry }) => hasRunDry).map(toRunDry),
    'With nothing to do, and with a task now and then:',
    toTable(waitingColumns, simulated),
  ];
  return parts.join('\n\n');
}

const perTask = (figure: number | undefined, { tasks }: Stretch): string =>
  figure === undefined || tasks === 0 ? '' : inFigures(figure / tasks);
const perSecond = (figure: number | undefined, { seconds }: Stretch): string =>
  figure === undefined ? '' : inFigures(figure / seconds);
const asShare = (cpuMs: number | undefined, { seconds }: Stretch): string =>
  cpuMs === undefined ? '' : `${inFigures(cpuMs / seconds / 10)} %`;
const rateOf = ({ tasks, seconds }: Stretch): number => tasks / seconds;
const countCalls = ({ tally }: Stretch): number | undefined => callsOf(tally) || undefined;
const ifAny = (figure: number | undefined, write: (figure: number) => string): string =>
  figure === undefined ? '' : write(figure);

const workers: Column = ['workers', ({ workers: each }) => String(each)];

const backlogColumns: readonly Column[] = [
  workers,
  ['tasks/s', ({ backlog }) => inFigures(rateOf(backlog))],
  [
    'of one alone',
    ({ backlog, workers: each }, first) =>
      `${Math.round((100 * rateOf(backlog) * first.workers) / each / rateOf(first.backlog))} %`,
  ],
  ['calls/task', ({ backlog }) => perTask(countCalls(backlog), backlog)],
  ['commands/task', ({ backlog }) => perTask(backlog.serverCommands, backlog)],
  [
    'empty claims/task',
    ({ backlog }) => ifCounted(backlog, ({ emptyClaims }) => perTask(emptyClaims, backlog)),
  ],
  ['server ms/task', ({ backlog }) => perTask(backlog.serverCpuMs, backlog)],
  ['workers ms/task', ({ backlog }) => perTask(backlog.workersCpuMs, backlog)],
  ['event loops late', ({ backlog }) => inMs(backlog.workersLateMs)],
  ['machine busy', ({ backlog }) => `${Math.round(backlog.machineBusy * 100)} %`],
  ['waiting for locks', ({ backlog }) => ifAny(backlog.waitingForLocks, inFigures)],
  [
    'deadlocks, retried',
    ({ backlog: { deadlocks, tally } }) => ifAny(deadlocks, (each) => `${each}, ${tally.clashes}`),
  ],
];

const waitingColumns: readonly Column[] = [
  workers,
  ['idle: calls/s', ({ idle }) => perSecond(countCalls(idle), idle)],
  ['commands/s', ({ idle }) => perSecond(idle.serverCommands, idle)],
  ['server CPU', ({ idle }) => asShare(idle.serverCpuMs, idle)],
  ['workers CPU', ({ idle }) => asShare(idle.workersCpuMs, idle)],
  ['connections', ({ idle }) => ifAny(idle.connections, String)],
  ['now and then: begins after, median', ({ trickle }) => (trickle.wait ? inMs(trickle.wait.median) : '')],
  ['p99', ({ trickle }) => (trickle.wait ? inMs(trickle.wait.p99) : '')],
  ['calls/task', ({ trickle }) => perTask(countCalls(trickle), trickle)],
  [
    'empty claims/task',
    ({ trickle }) => ifCounted(trickle, ({ emptyClaims }) => perTask(emptyClaims, trickle)),
  ],
  ['server CPU', ({ trickle }) => asShare(trickle.serverCpuMs, trickle)],
];

function ifCounted(stretch: Stretch, write: (tally: Stretch['tally']) => string): string {
  return countCalls(stretch) === undefined ? '' : write(stretch.tally);
}

function toTable(columns: readonly Column[], simulated: readonly Simulated[]): string {
  const cells = columns
    .map(([title, cell]) => [title, ...simulated.map((each) => cell(each, simulated[0]!))])
    .filter(([, ...column]) => column.some((each) => each !== ''));
  const lines = [...cells[0]!.keys()].map((line) => cells.map((column) => column[line]!));
  const [head, ...rest] = lines as [string[], ...string[][]];
  return [head, head.map(() => '---:'), ...rest].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function toRunDry({ workers: each }: Simulated): string {
  return `The ${each} workers did all there was before the time was over: they can do more than is shown.`;
}

const inMs = (figure: number): string => `${inFigures(figure)} ms`;

/** Three figures, which is more than any of these is worth. */
export function inFigures(figure: number): string {
  return Number(figure.toPrecision(figure < 1 ? 2 : 3)).toLocaleString('en');
}
