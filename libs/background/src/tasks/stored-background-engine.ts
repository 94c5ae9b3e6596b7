import { IllegalStateError } from '../errors.js';
import type { OccurrenceStorage } from '../hosting/occurrence-storage.js';
import type { BackgroundEngine } from './background-engine.js';
import type { EngineCapabilities, QueueEngine } from './queue-engine.js';
import { StoreSession } from './store-session.js';
import type { ResolvedStoreOptions } from './store.options.js';
import { StoredEngine } from './stored-engine.js';
import type { EngineDependencies } from './background-engine.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import type { TaskStorage } from './task-storage.js';

export interface StoredEngineOptions extends ResolvedStoreOptions {
  readonly storage: TaskStorage;
  /** What the driver cannot do, in addition to what no store can. */
  readonly lacks?: EngineCapabilities['lacks'] | undefined;
}

/** The engine of a driver: keeps tasks in its storage. For those who write drivers; users have `sqliteEngine()` and its like. */
export function storedEngine(options: StoredEngineOptions): BackgroundEngine {
  return new StoredBackgroundEngine(options);
}

class StoredBackgroundEngine implements BackgroundEngine {
  readonly capabilities: EngineCapabilities;
  readonly occurrences: OccurrenceStorage;
  private session: StoreSession | undefined;
  private queues: StoredEngine[] = [];

  constructor(private readonly options: StoredEngineOptions) {
    this.capabilities = Object.freeze({
      durable: true,
      lacks: Object.freeze({ ...lackedByStores, ...options.lacks }),
    });
    this.occurrences = this.createOccurrences();
  }

  get name(): string {
    return this.options.storage.name;
  }

  async open(dependencies: EngineDependencies): Promise<void> {
    if (this.session !== undefined)
      throw new IllegalStateError(`engine '${this.name}'`, 'open in another application', 'Opening it');
    const { storage, ...options } = this.options;
    const session = new StoreSession(storage, options, dependencies);
    this.session = session;
    try {
      await session.open();
    } catch (error) {
      this.session = undefined;
      throw error;
    }
  }

  createQueue(options: ResolvedQueueOptions, dependencies: EngineDependencies): QueueEngine {
    const queue = new StoredEngine(options, dependencies, this.openSession, this.capabilities);
    this.queues.push(queue);
    return queue;
  }

  async close(): Promise<void> {
    const { session, queues } = this;
    this.session = undefined;
    this.queues = [];
    if (session === undefined) return;
    for (const queue of queues) queue.dispose();
    try {
      await session.close();
    } finally {
      await session.storage.close();
    }
  }

  private createOccurrences(): OccurrenceStorage {
    const { storage } = this.options;
    return {
      latest: (service) => storage.latestOccurrence(service),
      claim: async ({ service, dueAtMs }) =>
        storage.claimOccurrence(service, dueAtMs, await this.openSession.worker()),
      complete: async ({ service, dueAtMs }) =>
        storage.completeOccurrence(service, dueAtMs, await this.openSession.worker()),
      release: async ({ service, dueAtMs }) =>
        storage.releaseOccurrence(service, dueAtMs, await this.openSession.worker()),
      onReleased: (listener) => this.openSession.onReleased(listener),
    };
  }

  private get openSession(): StoreSession {
    if (this.session === undefined)
      throw new IllegalStateError(`engine '${this.name}'`, 'not open', 'Using it');
    return this.session;
  }
}

const lackedByStores: EngineCapabilities['lacks'] = {
  closures: 'what a closure encloses cannot be kept: make it a typed task',
  tryEnqueue: 'it needs an answer at once, and storing takes a moment',
  retryFunctions: 'functions cannot be kept: say them in defineTask() or for the queue',
};
