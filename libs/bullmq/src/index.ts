export { bullmqEngine } from './bullmq-engine.js';
export type { BullmqEngineOptions } from './bullmq.options.js';
export type { RedisClient, RedisConnectionOptions, RedisServerOptions } from './connection.options.js';
export {
  BullmqMissingError,
  RedisConnectionLostError,
  RedisRefusedError,
  RedisServerError,
  RedisUnreachableError,
  RedisVersionError,
} from './errors.js';
