import { readdir, readFile } from 'node:fs/promises';

/** Of `/proc`, in a second: the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** What one line of `/proc/<pid>/stat` says. */
export interface ProcessStat {
  readonly parent: number;
  /** Of the process, and of its children that have ended. */
  readonly cpuMs: number;
}

export function parseStat(text: string): ProcessStat {
  // The name, in brackets, may have anything in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), cpuMs: (ticks * 1_000) / ticksPerSecond };
}

/** The time of a processor that a process and its children have used. @returns `undefined` where there is no `/proc` */
export async function cpuOf(pid: number): Promise<number | undefined> {
  const own = await statOf(pid);
  if (own === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(statOf));
  return stats.reduce((sum, stat) => (stat?.parent === pid ? sum + stat.cpuMs : sum), own.cpuMs);
}

export async function statOf(pid: number): Promise<ProcessStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseStat(text);
}
