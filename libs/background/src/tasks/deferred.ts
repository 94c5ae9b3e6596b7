/** A promise, and what settles it. */
export interface Deferred<R> {
  readonly promise: Promise<R>;
  resolve(result: R): void;
  reject(error: unknown): void;
}

export function createDeferred<R>(): Deferred<R> {
  let resolve!: (result: R) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<R>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
