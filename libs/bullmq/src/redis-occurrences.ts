import { randomUUID } from 'node:crypto';
import type { ClockTimer } from 'nestjs-nightshift/channels';
import type { OccurrenceClaim, OccurrenceStorage } from 'nestjs-nightshift';
import { goodbyeMs, type RedisSession } from './redis-session.js';
import { withinTime } from './time-limit.js';

/** Which occurrences of services have run, for all processes that share a server. */
export class RedisOccurrences implements OccurrenceStorage {
  /** Under which this process holds what it claims. */
  private readonly holder = randomUUID();
  private readonly listeners = new Set<() => void>();
  private beating: Promise<void> | undefined;
  private timer: ClockTimer | undefined;
  private releases: number | undefined;
  private endWatch: (() => void) | undefined;
  private isClosed = false;

  constructor(private readonly session: RedisSession) {}

  async latest(service: string): Promise<number | undefined> {
    const at = await this.session.run('latestOccurrence', this.base, [service]);
    return at === null || at === undefined ? undefined : Number(at);
  }

  async claim({ service, dueAtMs }: OccurrenceClaim): Promise<boolean> {
    await this.stayAlive();
    return (await this.session.run('claimOccurrence', this.base, [service, dueAtMs, this.holder])) === 1;
  }

  async complete({ service, dueAtMs }: OccurrenceClaim): Promise<void> {
    await this.session.run('completeOccurrence', this.base, [service, dueAtMs, this.holder]);
  }

  async release({ service, dueAtMs }: OccurrenceClaim): Promise<void> {
    await this.session.run('releaseOccurrence', this.base, [service, dueAtMs, this.holder]);
  }

  onReleased(listener: () => void): () => void {
    this.listeners.add(listener);
    this.endWatch ??= this.session.watch(() => this.look());
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.endWatch?.();
      this.endWatch = undefined;
    };
  }

  /** What it holds is given back. Of a server that does not answer nobody waits for that: the lease ends it. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.timer?.cancel();
    this.endWatch?.();
    if (this.beating === undefined) return;
    const givenBack = this.session
      .reach('give occurrences back', () => this.session.client.del(this.processKey))
      .catch((error: unknown) => this.session.fail('give occurrences back', error));
    await withinTime(givenBack, goodbyeMs, this.session.dependencies.clock);
  }

  private get base(): string {
    // No queue of BullMQ has an empty name.
    return `${this.session.options.prefix}::nightshift:`;
  }

  private get processKey(): string {
    return `${this.base}process:${this.holder}`;
  }

  /** From the first claim on this process gives signs of life. */
  private stayAlive(): Promise<void> {
    this.beating ??= this.beat();
    this.beating.catch(() => (this.beating = undefined));
    return this.beating;
  }

  private async beat(): Promise<void> {
    const { leaseMs } = this.session.options;
    await this.session.reach('give a sign of life', () =>
      this.session.client.set(this.processKey, 1, { PX: leaseMs }),
    );
    this.armBeat();
  }

  private armBeat(): void {
    if (this.isClosed) return;
    this.timer = this.session.after(this.session.options.leaseMs / 4, () => {
      this.beat().catch((error: unknown) => {
        this.session.fail('give a sign of life', error);
        this.armBeat();
      });
    });
  }

  private async look(): Promise<void> {
    const releases = Number(await this.session.run('sweepOccurrences', this.base, ['']));
    const isNew = releases !== (this.releases ?? 0); // what was given back before the first look may be news as well
    this.releases = releases;
    if (isNew) for (const listener of this.listeners) listener();
  }
}
