import { join, resolve } from 'node:path';
import { Global, Module } from '@nestjs/common';

const roles = ['all', 'web', 'worker'] as const;

/** What a process of the shop does: answer requests, do the work behind them, or both. */
export type ShopRole = (typeof roles)[number];

/** Everything that the environment can change about the shop, read in this one place. */
export class ShopConfig {
  readonly port: number;
  /** Where photos, the database and log files are kept. */
  readonly dataDir: string;
  readonly role: ShopRole;
  /** The file that makes tasks durable; then the shop keeps its customers and orders in it too. */
  readonly nightShiftFile: string | undefined;
  /** The Redis that makes tasks durable, and lets several processes share them. */
  readonly redisUrl: string | undefined;
  /** The PostgreSQL that does. */
  readonly databaseUrl: string | undefined;
  /** Where customers and orders are kept. */
  readonly databaseFile: string;
  /** What everything of this shop is called at a server that others use too. */
  readonly name: string;
  /** The message broker that brings the orders of wholesalers. Without one there are none. */
  readonly amqpUrl: string | undefined;
  /** How long the shop may take to finish what it holds: less than whoever stops it waits before it kills. */
  readonly shutdownTimeout: string;
  /** How long it takes to pack the order of a wholesaler. */
  readonly packingMs: number;
  /** A real mail server. Without one the shop starts its own, which only collects. */
  readonly smtpUrl: string | undefined;
  /** How often prices are read again: every 5 minutes in a real shop, every few seconds to watch it happen. */
  readonly recipesEvery: string;
  /** How many photos are resized at once, and how many more may wait. */
  readonly photos: { readonly atOnce: number; readonly waiting: number };
  /** How long a request waits for room in a full queue before it is answered with 503. */
  readonly patienceMs: number;

  constructor(env: NodeJS.ProcessEnv) {
    this.port = wholeNumber(env, 'PORT', 3000);
    this.dataDir = resolve(env['SHOP_DATA'] ?? '.shop');
    this.role = oneOf(env, 'NIGHTSHIFT_ROLE', roles);
    this.redisUrl = env['REDIS_URL'];
    this.databaseUrl = env['DATABASE_URL'];
    const { NIGHTSHIFT_FILE: file } = env;
    this.nightShiftFile = file === undefined ? undefined : resolve(file);
    this.databaseFile = this.nightShiftFile ?? join(this.dataDir, 'shop.sqlite');
    this.name = env['SHOP_NAME'] ?? 'sweet_shop';
    this.amqpUrl = env['AMQP_URL'];
    this.packingMs = wholeNumber(env, 'PACKING_MS', 200);
    this.shutdownTimeout = env['SHUTDOWN_TIMEOUT'] ?? '30s';
    this.smtpUrl = env['SMTP_URL'];
    this.recipesEvery = env['RECIPES_EVERY'] ?? '5s';
    this.photos = {
      atOnce: wholeNumber(env, 'PHOTOS_AT_ONCE', 2),
      waiting: wholeNumber(env, 'PHOTOS_WAITING', 100),
    };
    this.patienceMs = wholeNumber(env, 'PATIENCE_MS', 5_000);
  }
}

/** A constant, because decorators are given their options before there is anything to inject. */
export const shopConfig = new ShopConfig(process.env);

@Global()
@Module({ providers: [{ provide: ShopConfig, useValue: shopConfig }], exports: [ShopConfig] })
export class ShopConfigModule {}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name] ?? String(fallback);
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, but is '${text}'.`);
  return Number(text);
}

function oneOf<T extends string>(env: NodeJS.ProcessEnv, name: string, values: readonly [T, ...T[]]): T {
  const text = env[name] ?? values[0];
  const value = values.find((each) => each === text);
  if (value === undefined) throw new Error(`${name} must be one of ${values.join(', ')}, but is '${text}'.`);
  return value;
}
