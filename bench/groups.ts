import type { Row } from './comparison.js';

/** Rows that are measured in one process, one after the other; each group in a process of its own. */
export const groups: Readonly<Record<string, () => Promise<Row[]>>> = {
  closures: async () => (await import('./closures.js')).closureRows(),
  bursts: async () => (await import('./bursts.js')).burstRows(),
  channels: async () => (await import('./channels.js')).channelRows(),
  scopes: async () => (await import('./scopes.js')).scopeRows(),
  drift: async () => (await import('./drift.js')).driftRows(),
  heap: async () => (await import('./retained-heap.js')).retainedHeapRows(),
  bootstrap: async () => (await import('./bootstrap.js')).bootstrapRows(),
  latency: async () => (await import('./low-load.js')).lowLoadRows(),
  memory: async () => (await import('./queued-memory.js')).queuedMemoryRows(),
  through: async () => (await import('./through.js')).throughRows(),
  durable: async () => (await import('./durable.js')).durableRows(),
};
