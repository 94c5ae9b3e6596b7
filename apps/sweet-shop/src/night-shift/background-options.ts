import type { BackgroundModuleOptions } from 'nestjs-nightshift';
import type { ShopConfig } from '../shop.config.js';
import { chooseEngine } from './engine.js';
import { runsHere } from './roles.js';

/** What the environment says about the night shift. */
export function backgroundOptions(config: ShopConfig): BackgroundModuleOptions {
  const { photos, role, shutdownTimeout } = config;
  return {
    engine: chooseEngine(config),
    enabled: ({ name }) => runsHere(name, config),
    // Nothing else may: no server listens in a worker.
    keepAlive: role === 'worker',
    shutdownTimeout,
    // The default queue resizes photos.
    queue: { concurrency: photos.atOnce, capacity: photos.waiting, timeout: '1m' },
  };
}
