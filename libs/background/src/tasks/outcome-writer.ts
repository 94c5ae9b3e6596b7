import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';
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

  /** @returns whether it took effect: `false` when others have the task; `undefined` when it was given up */
  async write(settlement: Settlement): Promise<boolean | undefined> {
    this.writing.add(settlement.id);
    try {
      return await this.untilStored(settlement);
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

  private async untilStored(settlement: Settlement): Promise<boolean | undefined> {
    for (let pauseMs: number = pauses.first; ; pauseMs = Math.min(pauseMs * 2, pauses.last)) {
      try {
        return await this.session.storage.settle(settlement);
      } catch (error) {
        this.session.fail(`store the outcome of task ${settlement.id}`, error);
        if (this.isGivenUp) return undefined;
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
