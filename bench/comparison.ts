import type { Goal } from './goal.js';
import { startWatch } from './stopwatch.js';
import { takeTurns } from './turns.js';

/** How much is done: `scale` shrinks the amounts of a quick run, whose figures are only a hint. */
export interface Effort {
  readonly rounds: number;
  readonly scale: number;
}

/**
 * `ours` is judged against every goal of the row. A `variant` is ours too, used another way, and only shown. A
 * `reference` is no competitor but tells what the figures mean: the same work without a queue, an idle process.
 */
export type Role = 'ours' | 'variant' | 'peer' | 'reference';

/** One way of doing a row's work. */
export interface Contender {
  readonly name: string;
  readonly role: Role;
  /** On a peer or a reference: what ours must be against it. On ours: what its own figure must be. */
  readonly goal?: Goal;
}

/** A contender that can be measured again and again, in turns with others or in a process of its own. */
export interface Repeatable extends Contender {
  /** Loads and makes all that it needs, so that nothing of the others is loaded when it runs alone. */
  prepare(effort: Effort): Promise<Prepared | Skipped>;
}

export interface Prepared {
  /** Does the work once and gives the row's figure for it. */
  sample(): Promise<number>;
  close?(): Promise<void>;
}

/** Why a contender cannot be measured here, and how to change that: it needs a server that is not there. */
export interface Skipped {
  readonly skipped: string;
}

/** One figure for each round. */
export type Figures = readonly number[];

/** What a row says about itself. */
export interface About {
  /** Short and stable, for the command line. */
  readonly id: string;
  readonly title: string;
  /** What is measured, and how, for a reader who doubts it. */
  readonly how: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Measures peers and references also in processes of their own, where nothing of ours is loaded. */
  readonly alsoAlone?: boolean;
  /** Written by hand where a goal is out of reach: what the figure cannot get past, and how that was found out. */
  readonly bound?: string;
}

/** One comparison: a table on the page. */
export interface Row {
  readonly about: About;
  readonly contenders: readonly Contender[];
  /** The figures of each contender, in the order of `contenders`. */
  samples(effort: Effort): Promise<readonly (Figures | Skipped)[]>;
  /** The figures of one contender, measured with no other beside it. */
  samplesAlone?(name: string, effort: Effort): Promise<Figures | Skipped>;
}

/** A row whose contenders take turns in one process, so that whatever slows the machine slows them all. */
export function inTurns(about: About, contenders: readonly Repeatable[]): Row {
  return {
    about,
    contenders,
    samples: (effort) => takeTurns(contenders, effort),
    async samplesAlone(name, effort) {
      const [figures = []] = await takeTurns(
        contenders.filter((contender) => contender.name === name),
        effort,
      );
      return figures;
    },
  };
}

/** Work done `amount` times, as items in a millisecond. */
export function speed(
  amount: number,
  run: (amount: number) => Promise<unknown>,
  close?: () => Promise<void>,
  begin = startWatch,
): Prepared {
  const sample = async (): Promise<number> => {
    const elapsedMs = begin();
    await run(amount);
    return amount / elapsedMs();
  };
  return close ? { sample, close } : { sample };
}

/** Work done `amount` times, as microseconds for each. */
export function cost(
  amount: number,
  run: (amount: number) => Promise<unknown>,
  close?: () => Promise<void>,
  begin = startWatch,
): Prepared {
  const inverse = speed(amount, run, close, begin);
  return { ...inverse, sample: async () => 1_000 / (await inverse.sample()) };
}
