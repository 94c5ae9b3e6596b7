import { OptionsReader } from '../options-reader.js';
import {
  hostingKeys,
  readHostingOptions,
  type HostingOptions,
  type ResolvedHostingOptions,
} from '../hosting/hosting.options.js';
import type { BackgroundEngine } from '../tasks/background-engine.js';
import {
  queueDefaults,
  queueKeys,
  readEngine,
  readQueueOptions,
  type ResolvedQueueOptions,
  type TaskQueueOptions,
} from '../tasks/queue.options.js';

/** What `BackgroundModule.forRoot()` takes. Every option has a default. */
export interface BackgroundModuleOptions extends HostingOptions {
  /** The default queue, which `TaskQueue` injects. Others are added by `BackgroundModule.registerQueue()`. */
  queue?: TaskQueueOptions | undefined;
  /**
   * Where all queues keep their tasks that do not say otherwise: `sqliteEngine({ file })`, for one.
   * @default memoryEngine()
   */
  engine?: BackgroundEngine | undefined;
}

export interface ResolvedBackgroundOptions {
  readonly hosting: ResolvedHostingOptions;
  readonly queue: ResolvedQueueOptions;
  readonly engine: BackgroundEngine | undefined;
}

/** @throws InvalidOptionsError listing everything that is wrong */
export function resolveBackgroundOptions(options: BackgroundModuleOptions): ResolvedBackgroundOptions {
  const check = new OptionsReader('forRoot', options, [...hostingKeys, 'queue', 'engine']);
  const hosting = readHostingOptions(check as OptionsReader<HostingOptions>);
  const queue =
    check.nested<TaskQueueOptions, ResolvedQueueOptions>('queue', queueKeys, readQueueOptions) ??
    queueDefaults;
  const engine = readEngine(check);
  check.finish();
  return Object.freeze({ hosting, queue, engine });
}
