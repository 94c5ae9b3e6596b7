import { AsyncResource } from 'node:async_hooks';
import type { IRedisClient, RedisConnection } from 'bullmq';
import type { ClockTimer } from 'nestjs-nightshift/channels';
import { QueueClosedError, WaitList, type EngineDependencies } from 'nestjs-nightshift';
import type { ResolvedBullmqOptions } from './bullmq.options.js';
import type { Bullmq } from './bullmq-module.js';
import { endClient } from './end-client.js';
import {
  RedisConnectionLostError,
  RedisRefusedError,
  RedisUnreachableError,
  RedisVersionError,
  type RedisServerError,
} from './errors.js';
import { firstConnection } from './first-connection.js';
import { PendingRequests } from './pending-requests.js';
import { queueScripts, type QueueScript } from './scripts/queue-scripts.js';
import { serviceScripts, type ServiceScript } from './scripts/service-scripts.js';
import { isOlder, oldestRedis, toSettings, warningsOf } from './server-check.js';
import { late, withinTime } from './time-limit.js';

type Script = QueueScript | ServiceScript;

/** What one engine does at its server, for all its queues together: one connection, which it watches. */
export class RedisSession {
  private readonly requests: PendingRequests;
  private readonly becomingLive = new WaitList();
  private readonly sleepers = new Set<() => void>();
  /** Of the async context in which it was made: timers must not hold on to that of a request. */
  private readonly resource = new AsyncResource('nightshift');
  private readonly lookers = new Set<() => Promise<void>>();
  private outageTimer: ClockTimer | undefined;
  private lookTimer: ClockTimer | undefined;
  private lastError: unknown;
  private lastTold: { readonly text: string; readonly at: number } | undefined;
  private isLive = true;
  private isClosed = false;

  private constructor(
    readonly bullmq: Bullmq,
    readonly options: ResolvedBullmqOptions,
    readonly dependencies: EngineDependencies,
    private readonly connection: RedisConnection,
    readonly client: IRedisClient,
  ) {
    const clock = {
      monotonic: () => dependencies.clock.monotonic(),
      schedule: (delayMs: number, callback: () => void) => this.after(delayMs, callback),
    };
    this.requests = new PendingRequests(options.patienceMs, clock, () => this.onSilent());
    for (const [name, lua] of Object.entries({ ...queueScripts, ...serviceScripts }))
      client.defineCommand(`nightshift:${name}`, { numberOfKeys: 1, lua });
    client.defineCommand('nightshift:tryOut', { numberOfKeys: 1, lua: tryOut });
    client.on('error', this.onError);
    client.on('close', this.onClose);
    client.on('ready', this.onReady);
  }

  /** @throws BullmqMissingError, RedisUnreachableError, RedisRefusedError, RedisVersionError */
  static async open(
    bullmq: Bullmq,
    options: ResolvedBullmqOptions,
    dependencies: EngineDependencies,
  ): Promise<RedisSession> {
    const { connection, client, lastError } = await firstConnection(bullmq, options, dependencies);
    const session = new RedisSession(bullmq, options, dependencies, connection, client);
    session.lastError = lastError;
    try {
      await session.loadScripts();
      await session.tryScript();
      await session.checkServer();
    } catch (error) {
      await session.close();
      throw isReply(error) ? new RedisRefusedError(options.server, { cause: error }) : error;
    }
    return session;
  }

  get closed(): boolean {
    return this.isClosed;
  }

  now(): number {
    return Math.floor(this.dependencies.clock.now());
  }

  /** What the keys of one queue begin with. */
  base(queue: string): string {
    return `${this.options.prefix}:${queue}:`;
  }

  /** Runs one of the scripts. @param base what its keys begin with */
  run(script: Script, base: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.reach(script, () => this.client.runCommand(`nightshift:${script}`, [base, ...args]));
  }

  /**
   * Sends something to the server when there is a connection, and waits for the answer: each no longer than `patience`.
   *
   * @throws RedisUnreachableError
   */
  reach<T>(during: string, send: () => Promise<T>): Promise<T> {
    const { requests } = this;
    if (this.isLive) return requests.send(during, send);
    return this.whenLive(during).then(() => requests.send(during, send));
  }

  /** Calls `look` several times a second. @returns ends that */
  watch(look: () => Promise<void>): () => void {
    this.lookers.add(look);
    if (this.lookers.size === 1) this.armLook();
    return () => {
      this.lookers.delete(look);
      if (this.lookers.size === 0) this.lookTimer?.cancel();
    };
  }

  /** Something that nobody waits for has failed. One outage is told once. */
  fail(during: string, error: unknown): void {
    if (this.isClosed || (!this.isLive && this.lastTold !== undefined) || error instanceof QueueClosedError)
      return;
    const text = `${during}: ${String(error)}`;
    const at = this.dependencies.clock.monotonic();
    if (this.lastTold?.text === text && at - this.lastTold.at < quietMs) return;
    this.lastTold = { text, at };
    this.dependencies.events.emit('engine.failed', { engine: 'bullmq', during, error });
  }

  readonly after = (delayMs: number, callback: () => void): ClockTimer =>
    this.resource.runInAsyncScope(() => this.dependencies.clock.schedule(delayMs, callback));

  /** Resolves after this long, or when the session is closed. */
  async sleep(delayMs: number): Promise<void> {
    if (this.isClosed) return;
    await new Promise<void>((resolve) => {
      const timer = this.after(delayMs, () => wake());
      const wake = (): void => {
        timer.cancel();
        this.sleepers.delete(wake);
        resolve();
      };
      this.sleepers.add(wake);
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const wake of this.sleepers) wake();
    this.lookTimer?.cancel();
    this.outageTimer?.cancel();
    this.client.off('error', this.onError);
    this.client.off('close', this.onClose);
    this.client.off('ready', this.onReady);
    this.client.on('error', ignore); // whatever comes of the closing
    this.requests.close();
    this.rejectPending();
    this.becomingLive.release();
    const closed = this.connection.close(!this.isLive).catch(ignore);
    await withinTime(closed, goodbyeMs, this.dependencies.clock);
    if (this.options.isOwnClient) this.client.off('error', ignore);
    else endClient(this.client);
  }

  private armLook(): void {
    if (this.isClosed) return;
    this.lookTimer?.cancel();
    this.lookTimer = this.after(this.options.pollIntervalMs, () => void this.look());
  }

  private async look(): Promise<void> {
    if (this.isLive)
      await Promise.all(
        [...this.lookers].map((look) =>
          look().catch((error: unknown) => this.fail('look for changes', error)),
        ),
      );
    if (this.lookers.size > 0) this.armLook();
  }

  /** So that the first task of an application does not wait for them. A client that cannot do this loads each when it is used. */
  private async loadScripts(): Promise<void> {
    const { script } = this.client as { script?: (command: 'LOAD', lua: string) => Promise<unknown> };
    if (script === undefined) return;
    const all = Object.values({ ...queueScripts, ...serviceScripts });
    await this.reach('load scripts', () =>
      Promise.all(all.map((lua) => script.call(this.client, 'LOAD', lua))),
    );
  }

  /** Whether the user may do what each task needs: better at the start than with the first of them. */
  private async tryScript(): Promise<void> {
    const key = `${this.options.prefix}::nightshift:start`; // as no queue is called
    await this.reach('run a script', () => this.client.runCommand('nightshift:tryOut', [key]));
  }

  private async checkServer(): Promise<void> {
    const { events } = this.dependencies;
    const { server } = this.options;
    const { redisVersion, databaseType } = this.connection;
    if (databaseType === 'redis' && isOlder(redisVersion, oldestRedis))
      throw new RedisVersionError(server, redisVersion, oldestRedis);
    const settings = toSettings(await this.reach('read its settings', () => readConfig(this.client)));
    for (const { code, message } of warningsOf(server, settings))
      events.emit('host.warning', { code, message });
  }

  private async whenLive(during: string): Promise<void> {
    const live = await withinTime(this.becomingLive.wait(), this.options.patienceMs, {
      schedule: this.after,
    });
    if (live === late || this.isClosed) throw this.unreachable(during);
  }

  private readonly onError = (error: unknown): void => {
    this.lastError = error;
  };

  private readonly onClose = (): void => {
    if (!this.isLive || this.isClosed) return;
    this.lose(new RedisConnectionLostError(this.options.server, { cause: this.lastError }));
    this.outageTimer = this.after(this.options.patienceMs, () => this.rejectPending());
  };

  /** Another connection may reach it, if this one is dead. */
  private onSilent(): void {
    const { isLive } = this;
    if (isLive) this.lose(this.unreachable('keep the connection'));
    this.rejectPending();
    if (isLive) this.client.disconnect(true); // if it is not, the client makes another one already
  }

  private lose(error: RedisServerError): void {
    this.lastTold = undefined;
    this.fail('keep the connection', error);
    this.isLive = false;
  }

  private readonly onReady = (): void => {
    this.isLive = true;
    this.outageTimer?.cancel();
    this.lastError = undefined;
    this.lastTold = undefined;
    this.becomingLive.release();
  };

  private rejectPending(): void {
    this.requests.rejectAll((during) => this.unreachable(during));
  }

  private unreachable(during: string): RedisUnreachableError {
    const { server, patienceMs } = this.options;
    return new RedisUnreachableError(server, patienceMs, during, { cause: this.lastError });
  }
}

/** For how long the same failure is not told again. */
const quietMs = 30_000;
/** How long a server may take to answer when it is told goodbye. */
export const goodbyeMs = 1_000;

const ignore = (): void => {};

/** Changes nothing, and is refused wherever a change would be; but not by a full memory, in which tasks can still be run. */
const tryOut = `return redis.call('DEL', KEYS[1])`;

/** Whether it is what the server answered. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** `CONFIG` may be forbidden, or unknown to the client. */
async function readConfig(client: IRedisClient): Promise<readonly string[]> {
  const { call } = client as { call?: (...args: string[]) => Promise<unknown> };
  if (call === undefined) return [];
  try {
    const list = await call.call(
      client,
      'CONFIG',
      'GET',
      'maxmemory-policy',
      'appendonly',
      'appendfsync',
      'save',
    );
    return (list as readonly unknown[]).map(String);
  } catch {
    return [];
  }
}
