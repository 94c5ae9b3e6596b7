import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve as resolvePath } from 'node:path';
import { describe, inject } from 'vitest';

/** How a process ended: with a code of its own, or by a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A major version of Nest to run scenarios on. */
export interface Nest {
  readonly major: 12 | 11;
  readonly house: string;
  readonly nodeOptions: readonly string[];
  /** After how long a process is taken for stuck, if not after the usual time. */
  readonly longestRunMs?: number;
}

const { nest12, nest11 } = inject('houses');

/** For what does not depend on the version of Nest, and takes too long to be done twice. */
export const oneNest: Nest = { major: 12, house: nest12, nodeOptions: [] };

const nestMajors: readonly Nest[] = [
  oneNest,
  { major: 11, house: nest11, nodeOptions: ['--preserve-symlinks', '--preserve-symlinks-main'] },
];

/** Describes what is the same on each major. Its tests run concurrently: they mostly wait. */
export const onEachNest = describe.concurrent.each(nestMajors);

/** Nothing here takes that long; a process that does is stuck. */
const usualLongestRunMs = 60_000;

/** What Node prints when a promise was forgotten or a listener leaks. No scenario may. */
const complaints = /unhandled ?rejection|MaxListenersExceeded|Warning:/i;

/** Where the scenarios are that go by a name alone. */
export function scenariosOf({ house }: Nest): string {
  return join(house, 'dist/test/processes/apps');
}

interface LineWaiter {
  readonly pattern: RegExp;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** A script with an environment of its own. */
export interface Scenario {
  /** Its path from `apps/`, or from the root. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs one of the scenarios in `apps/`, or one at a path, as a process of its own. Killed when disposed. */
export class Child implements AsyncDisposable {
  /** What it printed, on both streams, in the order of arrival. */
  readonly lines: string[] = [];
  /** Resolves when the process has ended and all it printed is read. Rejects when it had to be killed, or when Node complained. */
  readonly end: Promise<ProcessEnd>;
  private readonly process: ChildProcess;
  private readonly waiters = new Set<LineWaiter>();
  private isStuck = false;

  constructor(nest: Nest, scenario: string | Scenario, ...options: readonly string[]) {
    const { file, env } = typeof scenario === 'string' ? named(scenario) : scenario;
    const script = resolvePath(scenariosOf(nest), file);
    this.process = spawn(process.execPath, [...nest.nodeOptions, script, ...options], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process.stdin!.on('error', () => {}); // it has ended before it read what was written
    this.readLines(this.process.stdout!);
    this.readLines(this.process.stderr!);
    this.end = this.watchEnd(nest.longestRunMs ?? usualLongestRunMs);
    this.end.catch(() => {}); // whoever cares awaits it
  }

  /** All that was printed. */
  get output(): string {
    return this.lines.join('\n');
  }

  /** The first line that matches, printed already or still to come. */
  line(pattern: RegExp | string): Promise<string> {
    const expression = toExpression(pattern);
    const known = this.lines.find((line) => expression.test(line));
    return known === undefined ? this.nextLine(expression) : Promise.resolve(known);
  }

  /** The first line still to come that matches. */
  nextLine(pattern: RegExp | string): Promise<string> {
    return new Promise((resolve, reject) =>
      this.waiters.add({ pattern: toExpression(pattern), resolve, reject }),
    );
  }

  /** Where it serves HTTP, once it does. */
  async url(): Promise<string> {
    return (await this.line(/^listening on /)).slice('listening on '.length);
  }

  get pid(): number {
    return this.process.pid!;
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.end.catch(() => {});
  }

  private watchEnd(longestRunMs: number): Promise<ProcessEnd> {
    const limit = setTimeout(() => {
      this.isStuck = true;
      this.process.kill('SIGKILL');
    }, longestRunMs);
    return new Promise((resolve, reject) => {
      this.process.on('close', (code, signal) => {
        clearTimeout(limit);
        this.failWaiters();
        if (this.isStuck) reject(this.failure(`still ran after ${longestRunMs} ms`));
        else if (complaints.test(this.output)) reject(this.failure('made Node complain'));
        else resolve({ code, signal });
      });
    });
  }

  private readLines(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.note(line);
    });
    stream.on('end', () => this.note(rest));
  }

  private note(line: string): void {
    this.lines.push(line);
    for (const waiter of this.waiters) {
      if (!waiter.pattern.test(line)) continue;
      this.waiters.delete(waiter);
      waiter.resolve(line);
    }
  }

  private failWaiters(): void {
    for (const { pattern, reject } of this.waiters)
      reject(this.failure(`ended without a line like ${pattern}`));
    this.waiters.clear();
  }

  private failure(what: string): Error {
    return new Error(`The process ${what}. It printed:\n${this.output}`);
  }
}

function named(scenario: string): Scenario {
  return { file: scenario.includes('.') ? scenario : `${scenario}.js`, env: {} };
}

function toExpression(pattern: RegExp | string): RegExp {
  if (typeof pattern !== 'string') return pattern;
  return new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
}
