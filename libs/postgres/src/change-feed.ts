import { randomUUID } from 'node:crypto';
import type { Database } from './database.js';
import type { PostgresClient } from './driver.js';
import { quoteName } from './names.js';

/** Changes that come soon after each other are told together. */
const togetherMs = 20;
/** Without a word from anybody it looks all the same: a pooler may lose what is said. */
const looksAnywayMs = 2_500;
/** How long to wait before listening again after the connection was lost: doubled each time, up to the last. */
const pauseMs = { first: 100, last: 5_000 } as const;
/** Where graphile-worker says that jobs were added, in any schema. */
const jobsChannel = 'jobs:insert';

/** Tells other processes that something has changed, and hears it from them, by LISTEN and NOTIFY. */
export class ChangeFeed {
  /** Goes up with all that was heard, or may have been missed. */
  private heard = 1;
  private heardAt = performance.now();
  private jobs = 1;
  private client: PostgresClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private relistening: NodeJS.Timeout | undefined;
  private toldAt = 0;
  private failures = 0;
  private isClosed = false;
  private telling: Promise<unknown> = Promise.resolve();
  /** What this process says is not for itself. */
  private readonly self = randomUUID();

  constructor(
    private readonly database: Database,
    readonly channel: string,
  ) {}

  /** Goes up when others have changed something, and now and then. */
  get version(): number {
    if (performance.now() - this.heardAt > looksAnywayMs) this.hear();
    return this.heard;
  }

  /** Goes up when jobs of graphile-worker have come, or may have. */
  get jobsVersion(): number {
    return this.jobs;
  }

  async listen(): Promise<void> {
    const client = await this.database.connect();
    client.on('error', (error) => this.onLost(client, error));
    client.on('notification', ({ channel, payload }) => {
      if (channel === jobsChannel) this.jobs += 1;
      else if (payload === this.self) return;
      this.hear();
    });
    try {
      await client.query(`LISTEN ${quoteName(this.channel)}; LISTEN ${quoteName(jobsChannel)}`);
    } catch (error) {
      client.release(true);
      throw error;
    }
    if (this.isClosed) return client.release(true);
    this.client = client;
    this.failures = 0;
    this.jobs += 1;
    this.hear();
  }

  /** Others will hear of a change that is committed. */
  tell(): void {
    if (this.timer !== undefined || this.isClosed) return;
    const waitMs = Math.max(0, this.toldAt + togetherMs - performance.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.say();
    }, waitMs);
  }

  async close(): Promise<void> {
    if (this.timer !== undefined) this.say();
    this.isClosed = true;
    clearTimeout(this.timer);
    clearTimeout(this.relistening);
    await this.telling;
    this.client?.release(true);
    this.client = undefined;
  }

  private hear(): void {
    this.heard += 1;
    this.heardAt = performance.now();
  }

  private say(): void {
    this.toldAt = performance.now();
    // When it fails the others look all the same, a little later.
    this.telling = this.database
      .query('SELECT pg_notify($1, $2)', [this.channel, this.self])
      .catch(() => undefined);
  }

  private onLost(client: PostgresClient, error: Error): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.release(error);
    this.listenAgain();
  }

  private listenAgain(): void {
    if (this.isClosed) return;
    const waitMs = Math.min(pauseMs.first * 2 ** this.failures, pauseMs.last);
    this.failures += 1;
    this.relistening = setTimeout(() => void this.listen().catch(() => this.listenAgain()), waitMs);
  }
}
