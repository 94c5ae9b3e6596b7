import { randomUUID } from 'node:crypto';
import type { Database } from './database.js';
import type { PostgresClient } from './driver.js';
import { quoteName } from './names.js';

/** Changes that come soon after each other are told together. */
const togetherMs = 20;
/** When others tell as much, each tells so much less often, up to here: all hear all of it. */
const longestTogetherMs = 200;
/** For how long somebody who has told something counts as one who does. */
const tellerForMs = 1_000;
/** Without a word of changes, or of jobs, it looks all the same: a pooler may lose what is said, and some is never said. */
const looksAnywayMs = 2_500;
/** How long to wait before listening again after the connection was lost: doubled each time, up to the last. */
const pauseMs = { first: 100, last: 5_000 } as const;
/** Where graphile-worker says that jobs were added, in any schema. */
const jobsChannel = 'jobs:insert';

/** What is told, each of which includes the ones before: tasks have ended; there may be some to claim; whatever else there is. */
const allNews = ['ends', 'tasks', 'changes'] as const;
export type News = (typeof allNews)[number];

/** Tells other processes that something has changed, and hears it from them, by LISTEN and NOTIFY. */
export class ChangeFeed {
  /** Goes up with all that was heard, or may have been missed. */
  private heard = 0;
  /** How high it was when such news were heard last. */
  private readonly lastOf: Record<News, number> = { ends: 0, tasks: 0, changes: 0 };
  private changedAt = performance.now();
  private jobs = 1;
  private jobsAt = performance.now();
  private client: PostgresClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private relistening: NodeJS.Timeout | undefined;
  private untold: News | undefined;
  private toldAt = 0;
  /** When each of the others has told such news last. */
  private readonly tellers: Record<News, Map<string, number>> = {
    ends: new Map(),
    tasks: new Map(),
    changes: new Map(),
  };
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
    const quietSince = performance.now() - looksAnywayMs;
    if (this.jobsAt < quietSince) this.hearOfJobs();
    else if (this.changedAt < quietSince) this.hear('changes');
    return this.heard;
  }

  /** The most that has been heard since then. */
  newsSince(version: number): News {
    return allNews.findLast((news) => this.lastOf[news] > version) ?? 'ends';
  }

  /**
   * Goes up when jobs of graphile-worker have come, or may have. That one was rescheduled nobody says, so it goes up now and
   * then in any case, with {@link version}: that makes a claim, which looks.
   */
  get jobsVersion(): number {
    return this.jobs;
  }

  async listen(): Promise<void> {
    const client = await this.database.connect();
    client.on('error', (error) => this.onLost(client, error));
    client.on('notification', ({ channel, payload = '' }) => this.onNotified(channel, payload));
    try {
      await client.query(`LISTEN ${quoteName(this.channel)}; LISTEN ${quoteName(jobsChannel)}`);
    } catch (error) {
      client.release(true);
      throw error;
    }
    if (this.isClosed) return client.release(true);
    this.client = client;
    this.failures = 0;
    this.hearOfJobs();
  }

  /** Others will hear of what is committed. */
  tell(news: News = 'changes'): void {
    if (this.isClosed || (this.untold !== undefined && includes(this.untold, news))) return;
    this.untold = news;
    clearTimeout(this.timer);
    const waitMs = Math.max(0, this.toldAt + this.togetherMs(news) - performance.now());
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

  private onNotified(channel: string, payload: string): void {
    if (channel === jobsChannel) return this.hearOfJobs();
    if (payload.startsWith(this.self)) return;
    const [teller = '', word] = payload.split(' ');
    const news = allNews.find((each) => each === word) ?? 'changes';
    if (teller !== '') this.tellers[news].set(teller, performance.now());
    this.hear(news);
  }

  private hearOfJobs(): void {
    this.jobs += 1;
    this.jobsAt = performance.now();
    this.hear('changes');
  }

  private hear(news: News): void {
    this.heard += 1;
    if (news === 'changes') this.changedAt = performance.now();
    this.lastOf[news] = this.heard;
  }

  private togetherMs(news: News): number {
    const tellers = this.tellers[news];
    const now = performance.now();
    for (const [teller, at] of tellers) if (now - at > tellerForMs) tellers.delete(teller);
    return Math.min(togetherMs * (1 + tellers.size), longestTogetherMs);
  }

  private say(): void {
    const payload = `${this.self} ${this.untold}`;
    this.untold = undefined;
    this.toldAt = performance.now();
    // When it fails the others look all the same, a little later.
    this.telling = this.database
      .query('SELECT pg_notify($1, $2)', [this.channel, payload])
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

function includes(one: News, other: News): boolean {
  return allNews.indexOf(one) >= allNews.indexOf(other);
}
