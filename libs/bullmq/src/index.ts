export { bullmqEngine } from './bullmq-engine.js';
export type { BullmqEngineOptions, RedisClient, RedisConnectionOptions } from './bullmq.options.js';
export {
  BullmqMissingError,
  RedisConnectionLostError,
  RedisRefusedError,
  RedisServerError,
  RedisUnreachableError,
  RedisVersionError,
} from './errors.js';
