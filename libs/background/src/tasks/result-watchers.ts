interface Watcher {
  readonly promise: Promise<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Those who wait for the results of tasks that are kept elsewhere: one promise for each task, however many ask. */
export class ResultWatchers {
  private readonly byId = new Map<string, Watcher>();

  get ids(): readonly string[] {
    return [...this.byId.keys()];
  }

  get isEmpty(): boolean {
    return this.byId.size === 0;
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  watch(id: string): Promise<unknown> {
    const known = this.byId.get(id);
    if (known !== undefined) return known.promise;
    let resolve!: (result: unknown) => void;
    let reject!: (error: unknown) => void;
    const promise = new Promise<unknown>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    this.byId.set(id, { promise, resolve, reject });
    return promise;
  }

  resolve(id: string, result: unknown): void {
    this.take(id)?.resolve(result);
  }

  reject(id: string, error: unknown): void {
    this.take(id)?.reject(error);
  }

  private take(id: string): Watcher | undefined {
    const watcher = this.byId.get(id);
    this.byId.delete(id);
    return watcher;
  }
}
