import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeFeed, type News } from './change-feed.js';
import type { Database } from './database.js';

const channel = 'nightshift x';

/** What a server tells all who listen, those who have told it too. */
async function setup(amount = 1) {
  const told: string[] = [];
  const listeners: ((message: { channel: string; payload?: string }) => void)[] = [];
  const client = {
    on: (event: string, listener: (typeof listeners)[number]) =>
      event === 'notification' ? listeners.push(listener) : 0,
    query: () => Promise.resolve({ rows: [] }),
    release: () => {},
  };
  const tell = (payload: string, of = channel): void =>
    listeners.forEach((listener) => listener({ channel: of, payload }));
  const database = {
    connect: () => Promise.resolve(client),
    query: (_text: string, [, payload]: [string, string]) => {
      told.push(payload);
      tell(payload);
      return Promise.resolve([]);
    },
  };
  const feeds = Array.from({ length: amount }, () => new ChangeFeed(database as never as Database, channel));
  await Promise.all(feeds.map((feed) => feed.listen()));
  return { feed: feeds[0]!, feeds, told, tell };
}

/** How often in a second so many tell all together that tasks end, which they do all the time. */
async function tellFor(amount: number): Promise<number> {
  const { feeds, told } = await setup(amount);
  for (let passedMs = 0; passedMs < 3_000; passedMs += 5) {
    for (const feed of feeds) feed.tell('ends');
    await vi.advanceTimersByTimeAsync(5);
  }
  return told.length / 3;
}

describe('ChangeFeed', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('tells at once what comes after a while, and together what comes soon after', async () => {
    const { feed, told } = await setup();
    await vi.advanceTimersByTimeAsync(1_000);
    feed.tell();
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toHaveLength(1);
    for (let i = 0; i < 10; i += 1) {
      feed.tell();
      await vi.advanceTimersByTimeAsync(2);
    }
    expect(told).toHaveLength(2);
  });

  it('does not hear what it says itself', async () => {
    const { feed } = await setup();
    const { version } = feed;
    feed.tell();
    feed.tell('ends');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(feed.version).toBe(version);
  });

  it('says how much has changed', async () => {
    const { feeds } = await setup(2);
    const [one, other] = feeds as [ChangeFeed, ChangeFeed];
    const hear = async (...news: readonly News[]): Promise<News> => {
      const { version } = other;
      for (const each of news) one.tell(each);
      await vi.advanceTimersByTimeAsync(20);
      expect(other.version).toBe(version + 1);
      return other.newsSince(version);
    };
    expect(await hear('ends')).toBe('ends');
    expect(await hear('tasks', 'ends')).toBe('tasks');
    expect(await hear('ends', 'tasks')).toBe('tasks');
    expect(await hear('tasks', 'changes', 'ends')).toBe('changes');
    expect(await hear('ends')).toBe('ends');
    expect(other.newsSince(0)).toBe('changes');
  });

  it('takes for a change what does not say: a task enqueued in a transaction, a job, a release before this', async () => {
    const { feed, tell } = await setup();
    const { jobsVersion } = feed;
    for (const [payload, of] of [[''], ['of-an-earlier-release'], ['', 'jobs:insert']] as const) {
      const { version } = feed;
      tell(payload, of);
      expect([feed.version, feed.newsSince(version)]).toEqual([version + 1, 'changes']);
    }
    expect(feed.jobsVersion).toBe(jobsVersion + 1);
  });

  it('tells less often when many tell', async () => {
    expect(await tellFor(1)).toBeLessThan(55);
    expect(await tellFor(8)).toBeLessThan(80); // and not eight times as many
    expect(await tellFor(32)).toBeLessThan(32 * 7); // the least is five times a second
  });

  it('looks now and then although nobody says that anything has changed', async () => {
    const { feed, tell } = await setup();
    const { version } = feed;
    await vi.advanceTimersByTimeAsync(2_000);
    tell('somebody ends');
    await vi.advanceTimersByTimeAsync(501);
    expect([feed.version, feed.newsSince(version)]).toEqual([version + 2, 'changes']);
  });

  it('looks for jobs now and then although nobody says that there are any, whatever else is said', async () => {
    const { feed, tell } = await setup();
    const { version, jobsVersion } = feed;
    for (let passedMs = 0; passedMs < 2_500; passedMs += 500) {
      await vi.advanceTimersByTimeAsync(500);
      tell('somebody changes');
    }
    expect([feed.version, feed.jobsVersion]).toEqual([version + 5, jobsVersion]);
    await vi.advanceTimersByTimeAsync(1);
    expect([feed.version, feed.jobsVersion]).toEqual([version + 6, jobsVersion + 1]);
    expect([feed.version, feed.jobsVersion]).toEqual([version + 6, jobsVersion + 1]);
  });
});
