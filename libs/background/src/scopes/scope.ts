/**
 * A class, abstract class, string or symbol under which something can be resolved.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a constructor of any parameters is meant
export type ScopeToken<T = unknown> = string | symbol | (abstract new (...args: any[]) => T);

/**
 * One unit of work's own view of the DI container: scoped providers resolved from it are created once for it, and
 * live until it is disposed. A scope costs nothing until something is resolved from it.
 *
 * At disposal every instance that was created for the scope (class and factory providers, transients too) and has
 * `Symbol.asyncDispose` or `Symbol.dispose` is disposed and awaited, dependents before what they depend on. One that
 * throws does not keep the others from being disposed; the errors come out together at the end. Singletons and
 * durable providers outlive the scope and are not touched.
 *
 * @see .NET `IServiceScope`, `AsyncServiceScope`
 */
export interface ServiceScope extends AsyncDisposable {
  /**
   * The identity of the scope for Nest: what `ContextIdFactory.create()` gives. For `ModuleRef.resolve()`; but what is
   * resolved that way and is no dependency of something resolved through the scope is not disposed with it.
   */
  readonly contextId: { readonly id: number };
  /**
   * The instance of a provider: the application's own for a singleton, this scope's for anything scoped.
   *
   * @throws ScopeDisposedError once the scope is disposed
   */
  resolve<T>(token: ScopeToken<T>): Promise<T>;
  /** Disposes what the scope created. A second call gives the same promise. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes scopes, for singletons that need scoped providers now and then.
 *
 * @example
 * await scopes.run(async (scope) => (await scope.resolve(OrderRepository)).removeExpired());
 * @see .NET `IServiceScopeFactory`
 */
export abstract class ServiceScopeFactory {
  /**
   * A scope that the caller disposes, best with `await using`.
   *
   * @param context what `REQUEST` gives to the providers of the scope; by default an empty object
   */
  abstract createScope(context?: object): ServiceScope;

  /**
   * Runs `work` with a scope and disposes it afterwards, also when `work` fails. An error of `work` wins over errors
   * of disposal; when both fail, an `AggregateError` holds both.
   */
  async run<R>(work: (scope: ServiceScope) => R | Promise<R>, context?: object): Promise<R> {
    const scope = this.createScope(context);
    let result: R;
    try {
      result = await work(scope);
    } catch (error) {
      await disposeAfterFailure(scope, error);
      throw error;
    }
    await scope[Symbol.asyncDispose]();
    return result;
  }
}

async function disposeAfterFailure(scope: ServiceScope, error: unknown): Promise<void> {
  try {
    await scope[Symbol.asyncDispose]();
  } catch (disposeError) {
    // oxlint-disable-next-line preserve-caught-error -- both are among its errors
    throw new AggregateError([error, disposeError], 'The work failed, and so did the disposal of its scope.');
  }
}
