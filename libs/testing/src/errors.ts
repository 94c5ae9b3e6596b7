import { NightshiftError } from 'nestjs-nightshift/channels';

/** A hosted service did not do what its contract asks for, in an order of calls that `hammerHostedService` tried. */
export class HammeredServiceError extends NightshiftError {
  readonly code = 'HAMMERED_SERVICE_FAILED';

  constructor(
    /** What went wrong, as a sentence without its full stop. */
    readonly problem: string,
    /** What reproduces this order of calls, with `rounds: 1`. */
    readonly seed: number,
    /** Every call of this round, in order, and how it ended. */
    readonly history: readonly string[],
    options?: ErrorOptions,
  ) {
    const calls = history.map((call, index) => `\n  ${index + 1}. ${call}`).join('');
    super(
      `${problem}.\nWhat was called:${calls}\n` +
        `To try this order again, add { seed: ${seed}, rounds: 1 } to the options of hammerHostedService().`,
      options,
    );
  }
}
