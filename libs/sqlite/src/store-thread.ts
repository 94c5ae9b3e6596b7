import { parentPort, workerData } from 'node:worker_threads';
import { isBusy } from './errors.js';
import { openStore, type StoreOptions } from './open-store.js';
import { runBatch, type StoreAnswer, type StoreCall } from './store-batch.js';
import { toPlainError, type PlainError } from './plain-error.js';

/** What the thread is asked. */
export type ThreadRequest = { readonly calls: readonly StoreCall[] } | 'close';

/** What it answers: first that it is open, then for each request. */
export type ThreadAnswer =
  | { readonly kind: 'open' }
  | { readonly kind: 'answers'; readonly answers: readonly StoreAnswer[] }
  | { readonly kind: 'failed'; readonly error: PlainError; readonly isBusy: boolean };

const port = parentPort!;

function fail(error: unknown): void {
  port.postMessage({
    kind: 'failed',
    error: toPlainError(error),
    isBusy: isBusy(error),
  } satisfies ThreadAnswer);
}

try {
  const store = await openStore(workerData as StoreOptions);
  port.on('message', (request: ThreadRequest) => {
    if (request === 'close') {
      store.close();
      return port.close();
    }
    try {
      const answers = runBatch(store, request.calls).map((answer) =>
        'error' in answer ? { error: toPlainError(answer.error) } : answer,
      );
      port.postMessage({ kind: 'answers', answers } satisfies ThreadAnswer);
    } catch (error) {
      fail(error);
    }
  });
  port.postMessage({ kind: 'open' } satisfies ThreadAnswer);
} catch (error) {
  fail(error);
  port.close();
}
