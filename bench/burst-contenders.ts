import { speed, type Effort, type Prepared, type Repeatable } from './comparison.js';
import type { Goal } from './goal.js';
import type { openQueue } from './open-queue.js';

type Queue = Awaited<ReturnType<typeof openQueue>>['queue'];
type Run = (amount: number) => Promise<unknown>;

export const burst = 300_000;

const amountOf = ({ scale }: Effort): number => burst * scale;

/** Calls `start` for every item and waits for all the promises it gives. */
export async function all(amount: number, start: () => Promise<unknown>): Promise<void> {
  const started: Promise<unknown>[] = [];
  for (let i = 0; i < amount; i += 1) started.push(start());
  await Promise.all(started);
}

export function ours(
  name: string,
  role: 'ours' | 'variant',
  run: (queue: Queue, amount: number) => Promise<unknown>,
): Repeatable {
  const prepare = async (effort: Effort): Promise<Prepared> => {
    const { openQueue } = await import('./open-queue.js');
    const { queue, close } = await openQueue(amountOf(effort));
    return speed(amountOf(effort), (amount) => run(queue, amount), close);
  };
  return { name, role, prepare };
}

export function peer(name: string, goal: Goal | undefined, open: () => Run): Repeatable {
  const prepare = async (effort: Effort): Promise<Prepared> => speed(amountOf(effort), open());
  return goal ? { name, role: 'peer', goal, prepare } : { name, role: 'peer', prepare };
}

export function reference(name: string, run: Run): Repeatable {
  return { name, role: 'reference', prepare: async (effort) => speed(amountOf(effort), run) };
}
