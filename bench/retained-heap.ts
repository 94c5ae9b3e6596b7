import 'reflect-metadata';
import { ManualClock } from 'nestjs-nightshift/testing';
import type { Contender, Effort, Row } from './comparison.js';
import { atMost } from './goal.js';
import { openScopes, type Scopes } from './open-scopes.js';
import { Service } from './scope-tree.js';
import { usedHeap } from './used-heap.js';

const amount = 1_000_000;

interface Load extends Contender {
  run(app: Scopes, clock: ManualClock, amount: number): Promise<void>;
}

const goal = atMost(100);
const hourMs = 3_600_000;

const loads: readonly Load[] = [
  {
    name: 'ticks, each with a scope three deep',
    role: 'ours',
    goal,
    async run({ ticks }, clock, times) {
      const before = ticks();
      await clock.advance(times * hourMs);
      if (ticks() - before !== times) throw new Error(`${ticks() - before} of ${times} ticks came.`);
    },
  },
  {
    name: 'tasks, each with a scope three deep',
    role: 'ours',
    goal,
    async run({ queue }, _, times) {
      for (let i = 0; i < times; i += 1)
        await (await queue.enqueue(({ scope }) => scope.resolve(Service))).result();
    },
  },
  {
    name: 'nothing but promises',
    role: 'reference',
    async run(_, __, times) {
      for (let i = 0; i < times; i += 1) await nothing();
    },
  },
];

const nothing = async (): Promise<void> => {};

/** Whether anything stays behind of what is over. */
export function retainedHeapRows(): Row[] {
  return [
    {
      about: {
        id: 'retained-heap',
        title: `Heap retained after ${amount.toLocaleString('en')} ticks, and as many tasks`,
        how:
          'How much larger the used heap is, after garbage collection, than it was after a fifth as many that warmed up. ' +
          'The ticks are scheduled ones, on a `ManualClock`. The smallest object left behind by each would show as 12,000 KB ' +
          'or more; the goal, a tenth of a byte for each, allows for what the engine keeps of its own.',
        unit: 'KB',
        better: 'lower',
      },
      contenders: loads,
      samples: grow,
    },
  ];
}

async function grow({ scale }: Effort): Promise<number[][]> {
  const growths: number[][] = [];
  for (const { run } of loads) {
    const clock = new ManualClock();
    const app = await openScopes(clock);
    await run(app, clock, (amount * scale) / 5);
    const before = await usedHeap();
    await run(app, clock, amount * scale);
    growths.push([((await usedHeap()) - before) / 1_024]);
    await app.close();
  }
  return growths;
}
