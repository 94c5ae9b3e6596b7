import type { BackgroundEngine } from 'nestjs-nightshift';
import { bullmqEngine, type BullmqEngineOptions } from 'nestjs-nightshift/bullmq';
import { postgresEngine, type PostgresEngineOptions } from 'nestjs-nightshift/postgres';

/** The engine that the processes of a cluster share, in JSON. */
export type SharedEngine =
  | { readonly kind: 'bullmq'; readonly options: BullmqEngineOptions }
  | { readonly kind: 'postgres'; readonly options: PostgresEngineOptions };

export function open({ kind, options }: SharedEngine): BackgroundEngine {
  return kind === 'bullmq' ? bullmqEngine(options) : postgresEngine(options);
}
