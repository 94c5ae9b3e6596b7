import { OptionsReader } from '../options-reader.js';
import {
  hostingKeys,
  readHostingOptions,
  type HostingOptions,
  type ResolvedHostingOptions,
} from '../hosting/hosting.options.js';
import {
  queueDefaults,
  queueKeys,
  readQueueOptions,
  type ResolvedQueueOptions,
  type TaskQueueOptions,
} from '../tasks/tasks.options.js';

/** What `BackgroundModule.forRoot()` takes. Every option has a default. */
export interface BackgroundModuleOptions extends HostingOptions {
  /** The default queue, which `TaskQueue` injects. Others are added by `BackgroundModule.registerQueue()`. */
  queue?: TaskQueueOptions | undefined;
}

export interface ResolvedBackgroundOptions {
  readonly hosting: ResolvedHostingOptions;
  readonly queue: ResolvedQueueOptions;
}

/** @throws InvalidOptionsError listing everything that is wrong */
export function resolveBackgroundOptions(options: BackgroundModuleOptions): ResolvedBackgroundOptions {
  const check = new OptionsReader('forRoot', options, [...hostingKeys, 'queue']);
  const hosting = readHostingOptions(check as OptionsReader<HostingOptions>);
  const queue =
    check.nested<TaskQueueOptions, ResolvedQueueOptions>('queue', queueKeys, readQueueOptions) ??
    queueDefaults;
  check.finish();
  return Object.freeze({ hosting, queue });
}
