import type { SettledOutcome } from 'nestjs-nightshift';

/** How many are remembered. */
const remembered = 1_000;

/** The outcomes of the last tasks that ended here and are not kept, for whoever asks a moment too late. */
export class LastOutcomes {
  private readonly byId = new Map<string, SettledOutcome>();

  add(id: string, outcome: SettledOutcome): void {
    this.byId.set(id, outcome);
    if (this.byId.size <= remembered) return;
    const [oldest] = this.byId.keys();
    this.byId.delete(oldest!);
  }

  get(id: string): SettledOutcome | undefined {
    return this.byId.get(id);
  }
}
