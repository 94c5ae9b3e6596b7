import type { EngineCapabilities } from './queue-engine.js';

export const memoryCapabilities: EngineCapabilities = Object.freeze({
  durable: false,
  lacks: Object.freeze({ transaction: 'what is in memory cannot be part of a transaction of a database' }),
});
