import type { BatchRunner } from './group-commit.js';
import { openStore, type StoreOptions } from './open-store.js';
import { runBatch } from './store-batch.js';

/** Runs batches in this thread, whose event loop waits for the disk meanwhile: a fraction of a millisecond, as a rule. */
export async function openInlineRunner(options: StoreOptions): Promise<BatchRunner> {
  const store = await openStore(options);
  return {
    run: (calls) => runBatch(store, calls),
    close: () => {
      store.close();
      return Promise.resolve();
    },
  };
}
