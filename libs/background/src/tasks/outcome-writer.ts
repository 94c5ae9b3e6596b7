import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';
import { UnstorableOutcomeError } from '../errors.js';
import type { StoreSession } from './store-session.js';
import type { Settlement } from './task-storage.js';

/** How long to wait after the store has failed, in milliseconds: doubled each time, up to the last. */
const pauses = { first: 100, last: 5_000 } as const;

/** Writes down what became of tasks: again and again until the store has it, and only the end of the process gives up. */
export class OutcomeWriter {
  private readonly writing = new Set<string>();
  private readonly pausing = new Map<ClockTimer, () => void>();
  private isGivenUp = false;

  constructor(
    private readonly session: StoreSession,
    private readonly clock: Clock,
  ) {}

  get isIdle(): boolean {
    return this.writing.size === 0;
  }

  /**
   * @param instead what to write when the store does not take it for what is in it
   * @returns whether it took effect: `false` when others have the task; `undefined` when it was given up
   */
  async write(
    settlement: Settlement,
    instead: (error: UnstorableOutcomeError) => Settlement,
  ): Promise<boolean | undefined> {
    this.writing.add(settlement.id);
    try {
      return await this.untilStored(settlement, instead);
    } finally {
      this.writing.delete(settlement.id);
    }
  }

  /** What fails from now on is not tried again: the tasks are given back when others notice. */
  giveUp(): void {
    this.isGivenUp = true;
    for (const [timer, goOn] of this.pausing) {
      timer.cancel();
      goOn();
    }
  }

  private async untilStored(
    settlement: Settlement,
    instead: (error: UnstorableOutcomeError) => Settlement,
  ): Promise<boolean | undefined> {
    let written = settlement;
    for (let pauseMs: number = pauses.first; ; pauseMs = Math.min(pauseMs * 2, pauses.last)) {
      try {
        return await this.session.storage.settle(written);
      } catch (error) {
        if (error instanceof UnstorableOutcomeError && written === settlement) {
          written = instead(error);
          continue;
        }
        this.session.fail(`store the outcome of task ${settlement.id}`, error);
        if (this.isGivenUp || error instanceof UnstorableOutcomeError) return undefined;
        await this.pause(pauseMs);
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    let timer: ClockTimer | undefined;
    await new Promise<void>((resolve) => {
      timer = this.clock.schedule(ms, resolve);
      this.pausing.set(timer, resolve);
    });
    this.pausing.delete(timer!);
  }
}
