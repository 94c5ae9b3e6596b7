import type { BackgroundEngine } from './background-engine.js';
import { memoryCapabilities } from './memory-capabilities.js';
import { MemoryEngine } from './memory-engine.js';

/** Keeps tasks in this process: the default. A crash loses them. For one queue beside durable ones, give it this engine. */
export function memoryEngine(): BackgroundEngine {
  return {
    name: 'memory',
    capabilities: memoryCapabilities,
    open: () => Promise.resolve(),
    createQueue: (options, dependencies) => new MemoryEngine(options, dependencies),
    close: () => Promise.resolve(),
  };
}
