import { Redis } from 'ioredis';
import type { Tally } from './tally.js';

interface Sent {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
}

interface Scripted {
  readonly scriptsSet: Readonly<Record<string, { readonly sha: string; readonly lua: string }>>;
}

const connected = new Set<Tally>();

/** Counts from now on what any client of this process sends. Once in a process. */
export function countRedis(tally: Tally): void {
  connected.add(tally);
  if (connected.size > 1) return;
  const names = new Map<unknown, string>();
  // There is no other place that sees what clients send which others have made.
  // oxlint-disable-next-line typescript/unbound-method
  const { sendCommand } = Redis.prototype;
  Redis.prototype.sendCommand = function send(this: Redis, ...args: Parameters<typeof sendCommand>) {
    const { name, args: values, promise } = args[0] as unknown as Sent;
    const kind = name.startsWith('eval') ? scriptOf(this as unknown as Scripted, values[0], names) : name;
    tally.calls[kind] = (tally.calls[kind] ?? 0) + 1;
    if (kind === 'moveToActive') void note(tally, promise);
    return sendCommand.apply(this, args);
  };
}

async function note(tally: Tally, answer: Promise<unknown>): Promise<void> {
  const job = await answer.catch(() => undefined);
  if (Array.isArray(job) && !job[0]) tally.emptyClaims += 1;
}

/** The name under which a script was defined, without the release that BullMQ writes behind it. */
function scriptOf({ scriptsSet }: Scripted, code: unknown, names: Map<unknown, string>): string {
  if (!names.has(code))
    for (const [name, { sha, lua }] of Object.entries(scriptsSet)) {
      const plain = name.replace(/^nightshift:/, '').replace(/:.*$/, '');
      names.set(sha, plain);
      names.set(lua, plain);
    }
  return names.get(code) ?? 'script';
}
