// oxlint-disable vitest/expect-expect, vitest/valid-title -- each case names itself, and rejects when it fails
import type { Worker } from 'bullmq';
import type { BackgroundEngine } from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { queueEngineContract } from 'nestjs-nightshift/testing';
import { it } from 'vitest';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys } from './redis.js';

/** What can be seen inside an engine. */
interface EngineInside {
  readonly opened: { readonly queues: readonly { readonly runner: { readonly worker?: Worker } }[] };
}

/** No locks are renewed and nothing is fetched or recovered any more, as if the process had been killed. */
async function silence(engine: BackgroundEngine): Promise<void> {
  for (const { runner } of (engine as unknown as EngineInside).opened.queues) {
    if (runner.worker === undefined) continue;
    const { lockManager } = runner.worker as unknown as { lockManager: { close(): Promise<void> } };
    await lockManager.close();
    await runner.worker.pause(true);
  }
}

await describeWithService(redis, 'the contract of an engine, on BullMQ', (url) => {
  const contract = queueEngineContract({
    capabilities: bullmqEngine({ connection: url }).capabilities,
    clock: 'system',
    moment: '500ms',
    recovery: '3s',
    within: '8s',
    createStore: () => {
      const prefix = freshPrefix();
      return {
        createEngine: () => bullmqEngine({ connection: url, prefix, lease: '1s', pollInterval: '50ms' }),
        crash: silence,
        remove: () => removeKeys(url, prefix),
      };
    },
  });
  it.concurrent.each(contract)('$name', ({ run }) => run(), 40_000);
});
