import { constant, defineTask } from 'nestjs-nightshift';

export interface Piece {
  /** How long it takes: so many milliseconds, or until its kind is opened; a heedful one ends when its signal is aborted, too. */
  readonly lasts: number | 'deaf' | 'heedful';
  /** What only one at a time may work for. */
  readonly key?: string;
  /** How many attempts fail. */
  readonly failures?: number;
}

export const work = defineTask<Piece>('work', { retry: { maxAttempts: 3, backoff: constant(10) } });
