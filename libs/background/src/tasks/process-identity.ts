import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who a process is: enough for another one on the same machine to tell whether it still runs. */
interface ProcessIdentity {
  readonly host: string;
  /** Which start of the machine, and which world of process ids in it: containers have one each. Linux only. */
  readonly world: string | undefined;
  readonly pid: number;
  /** When the process began, in the system's own count: a number is given again to another process. Linux only. */
  readonly begun: string | undefined;
}

/** What this process says of itself, as text. */
export function processIdentity(): string {
  const { pid } = process;
  return JSON.stringify({
    host: hostname(),
    world: worldOf(),
    pid,
    begun: begunOf(pid),
  } satisfies ProcessIdentity);
}

/**
 * Whether a process that said this of itself has certainly ended. Where that cannot be told for certain, as of another
 * machine or container, the answer is no.
 */
export function hasCertainlyEnded(identity: string): boolean {
  const { host, world, pid, begun } = parse(identity);
  if (host !== hostname() || world === undefined || world !== worldOf()) return false;
  if (!isRunning(pid)) return true;
  return begun !== undefined && begun !== begunOf(pid);
}

function parse(identity: string): Partial<ProcessIdentity> & { pid: number } {
  try {
    return { pid: 0, ...(JSON.parse(identity) as Partial<ProcessIdentity>) };
  } catch {
    return { pid: 0 };
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function worldOf(): string | undefined {
  return reading(
    () =>
      `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`,
  );
}

/** The 22nd field of its status; its name, the 2nd, is in parentheses and may contain anything. */
function begunOf(pid: number): string | undefined {
  return reading(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)!.trim().split(' ')[19]);
}

function reading<R>(read: () => R): R | undefined {
  try {
    return read();
  } catch {
    return undefined; // not on Linux, or not allowed
  }
}
