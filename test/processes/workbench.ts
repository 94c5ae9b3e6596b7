import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqliteConnection } from '../../libs/sqlite/src/driver.js';
import { loadDriver } from '../../libs/sqlite/src/driver.js';
import { bundled } from './bundle.js';
import { Child, oneNest } from './child.js';

const scenario = bundled(oneNest, 'workbench');

/** A file for tasks, and a directory for it that is gone when this is disposed. */
export class Place implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'nightshift-'));
  readonly file = join(this.directory, 'tasks.db');

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** Starts a process with a durable queue on a file. */
export async function openWorkbench(options: object): Promise<Child> {
  return new Child(oneNest, await scenario, JSON.stringify(options));
}

/** The same, ready to be told what to do. */
export async function startWorkbench(options: object): Promise<Child> {
  const child = await openWorkbench(options);
  await child.line('working');
  return child;
}

/** Tells it to store a piece of work, and waits until it has. @param size makes it as big as so many bytes */
export async function store(child: Child, kind: string, name: string, size = 0): Promise<void> {
  child.tell(`${kind} ${name} ${size}`);
  const line = await child.line(new RegExp(`^(stored|refused) ${name}\\b`));
  if (!line.startsWith('stored')) throw new Error(line);
}

/** The first line that begins like this. */
export function lineBeginning(child: Child, text: string): Promise<string> {
  return child.line(new RegExp(`^${text}\\b`));
}

/** Looks into a file that a process works on, or has worked on. */
export async function inspect<R>(file: string, look: (connection: SqliteConnection) => R): Promise<R> {
  const DatabaseSync = await loadDriver();
  const connection = new DatabaseSync(file, { timeout: 5_000 });
  try {
    return look(connection);
  } finally {
    connection.close();
  }
}

/** How many tasks are in which state. Fails when the file is damaged. */
export function statesIn(file: string): Promise<Readonly<Record<string, number>>> {
  return inspect(file, (connection) => {
    const damages = connection.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    if (damages[0]?.integrity_check !== 'ok') throw new Error(JSON.stringify(damages));
    const rows = connection
      .prepare('SELECT state, count(*) AS n FROM nightshift_tasks GROUP BY state')
      .all() as { state: string; n: number }[];
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  });
}

/** The attempts that are written down of a task. */
export function attemptsIn(file: string, name: string): Promise<readonly string[]> {
  return inspect(file, (connection) =>
    (
      connection
        .prepare(`SELECT outcome FROM nightshift_attempts JOIN nightshift_tasks ON seq = task WHERE name = ?`)
        .all(name) as { outcome: string }[]
    ).map(({ outcome }) => outcome),
  );
}
