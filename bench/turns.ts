import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Effort, Prepared, Repeatable } from './comparison.js';

/** Enough for the compiler to have settled; their figures are thrown away. */
const warmUps = 2;

/** Measures contenders in turns. Another one begins each round, so that nobody always runs in the wake of the same. */
export async function takeTurns(contenders: readonly Repeatable[], effort: Effort): Promise<number[][]> {
  const prepared: Prepared[] = [];
  for (const contender of contenders) prepared.push(await contender.prepare(effort));
  const figures = contenders.map((): number[] => []);
  for (let round = -warmUps; round < effort.rounds; round += 1) {
    for (const turn of contenders.keys()) {
      const index = (turn + round + warmUps) % contenders.length;
      globalThis.gc?.();
      await nextTurn();
      const figure = await prepared[index]!.sample();
      if (round >= 0) figures[index]!.push(figure);
    }
  }
  for (const { close } of prepared) await close?.();
  return figures;
}
