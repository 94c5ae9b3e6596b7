import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Effort, Figures, Prepared, Repeatable, Skipped } from './comparison.js';

/** Enough for the compiler to have settled; their figures are thrown away. */
const warmUps = 2;

interface Turn extends Prepared {
  readonly figures: number[];
}

/** Measures contenders in turns. Another one begins each round, so that nobody always runs in the wake of the same. */
export async function takeTurns(
  contenders: readonly Repeatable[],
  effort: Effort,
): Promise<(Figures | Skipped)[]> {
  const turns: Turn[] = [];
  const outcomes: (Figures | Skipped)[] = [];
  try {
    for (const contender of contenders) {
      const prepared = await contender.prepare(effort);
      if ('skipped' in prepared) {
        outcomes.push(prepared);
        continue;
      }
      const figures: number[] = [];
      outcomes.push(figures);
      turns.push({ ...prepared, figures });
    }
    await rounds(turns, effort);
  } finally {
    for (const { close } of turns) await close?.();
  }
  return outcomes;
}

async function rounds(turns: readonly Turn[], effort: Effort): Promise<void> {
  for (let round = -warmUps; round < effort.rounds; round += 1) {
    for (const turn of turns.keys()) {
      const { sample, figures } = turns[(turn + round + warmUps) % turns.length]!;
      globalThis.gc?.();
      await nextTurn();
      const figure = await sample();
      if (round >= 0) figures.push(figure);
    }
  }
}
