import type { BackgroundEngine } from 'nestjs-nightshift';
import { BullmqBackgroundEngine } from './bullmq-background-engine.js';
import { resolveBullmqOptions, type BullmqEngineOptions } from './bullmq.options.js';

/**
 * Keeps tasks as jobs of BullMQ, on Redis 7 or Valkey, for any number of machines. Give it to `forRoot({ engine })`, or to
 * single queues. Each queue is a queue of BullMQ with the same name, each task a job whose name is that of its definition and
 * whose data is the payload: tools and producers of BullMQ see and add them as any other.
 *
 * Needs the packages `bullmq` and `ioredis`.
 *
 * @example BackgroundModule.forRoot({ engine: bullmqEngine({ connection: 'redis://localhost:6379' }) })
 * @throws InvalidOptionsError listing everything that is wrong
 */
export function bullmqEngine(options: BullmqEngineOptions): BackgroundEngine {
  return new BullmqBackgroundEngine(resolveBullmqOptions(options));
}
