import {
  IllegalStateError,
  NotSupportedError,
  type BackgroundEngine,
  type EngineDependencies,
  type OccurrenceStorage,
  type QueueEngine,
  type ResolvedQueueOptions,
} from 'nestjs-nightshift';
import { loadBullmq } from './bullmq-module.js';
import { BullmqQueue } from './bullmq-queue.js';
import type { ResolvedBullmqOptions } from './bullmq.options.js';
import { capabilities, engineName } from './capabilities.js';
import { RedisOccurrences } from './redis-occurrences.js';
import { RedisSession } from './redis-session.js';

/** What is open while an application uses the engine. */
interface Opened {
  readonly session: RedisSession;
  readonly occurrences: RedisOccurrences;
  readonly queues: BullmqQueue[];
}

export class BullmqBackgroundEngine implements BackgroundEngine {
  readonly name = engineName;
  readonly capabilities = capabilities;
  readonly occurrences: OccurrenceStorage;
  private opened: Opened | undefined;
  private isOpening = false;

  constructor(private readonly options: ResolvedBullmqOptions) {
    this.occurrences = {
      latest: async (service) => this.expectOpened().occurrences.latest(service),
      claim: async (occurrence) => this.expectOpened().occurrences.claim(occurrence),
      complete: async (occurrence) => this.expectOpened().occurrences.complete(occurrence),
      release: async (occurrence) => this.expectOpened().occurrences.release(occurrence),
      onReleased: (listener) => this.expectOpened().occurrences.onReleased(listener),
    };
  }

  async open(dependencies: EngineDependencies): Promise<void> {
    if (this.opened !== undefined || this.isOpening)
      throw new IllegalStateError(`engine '${this.name}'`, 'open in another application', 'Opening it');
    this.isOpening = true;
    try {
      const session = await RedisSession.open(await loadBullmq(), this.options, dependencies);
      this.opened = { session, occurrences: new RedisOccurrences(session), queues: [] };
    } finally {
      this.isOpening = false;
    }
  }

  createQueue(options: ResolvedQueueOptions, dependencies: EngineDependencies): QueueEngine {
    if (options.capacity !== undefined && options.fullMode !== 'wait')
      throw new NotSupportedError(this.name, 'dropping', capabilities.lacks.dropping!);
    const { session, queues } = this.expectOpened();
    const queue = new BullmqQueue(options, dependencies, session);
    queues.push(queue);
    return queue;
  }

  async close(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    if (opened === undefined) return;
    const { session, occurrences, queues } = opened;
    try {
      await Promise.all(queues.map((queue) => queue.dispose()));
      await occurrences.close();
    } finally {
      await session.close();
    }
  }

  private expectOpened(): Opened {
    if (this.opened === undefined)
      throw new IllegalStateError(`engine '${this.name}'`, 'not open', 'Using it');
    return this.opened;
  }
}
