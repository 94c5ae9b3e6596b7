import type { EngineCapabilities } from 'nestjs-nightshift';

/** What to call it in messages. */
export const engineName = 'bullmq';

export const capabilities: EngineCapabilities = Object.freeze({
  durable: true,
  lacks: Object.freeze({
    closures: 'what a closure encloses cannot be kept: make it a typed task',
    tryEnqueue: 'it needs an answer at once, and storing takes a moment',
    retryFunctions: 'functions cannot be kept: say them in defineTask() or for the queue',
    transaction:
      'Redis has no part in the transaction of a database: use postgresEngine(), or sqliteEngine() on one machine',
    dropping:
      'which of the waiting tasks of all processes is the oldest or newest is not known without looking at all of them',
  }),
});
