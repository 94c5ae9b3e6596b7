import { describe, expect, it } from 'vitest';
import { ServiceScopeFactory, type ServiceScope } from './scope.js';

class FakeScopes extends ServiceScopeFactory {
  readonly log: string[] = [];
  readonly contexts: unknown[] = [];

  constructor(private readonly disposeError?: Error) {
    super();
  }

  createScope(context?: object): ServiceScope {
    this.contexts.push(context);
    return {
      contextId: { id: 1 },
      resolve: () => Promise.reject(new Error('empty')),
      [Symbol.asyncDispose]: async () => {
        this.log.push('disposed');
        if (this.disposeError) throw this.disposeError;
      },
    };
  }
}

describe('ServiceScopeFactory.run', () => {
  it('gives the result of the work when the scope is disposed', async () => {
    const scopes = new FakeScopes();
    const context = { tenant: 'lollipops' };
    const result = await scopes.run(async (scope) => {
      scopes.log.push('work');
      return scope.contextId.id;
    }, context);
    expect([result, scopes.log, scopes.contexts]).toEqual([1, ['work', 'disposed'], [context]]);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
  ])('disposes the scope, and rejects with the error, when the work %s', async (_, work) => {
    const scopes = new FakeScopes();
    await expect(scopes.run(work)).rejects.toThrow('broken');
    expect(scopes.log).toEqual(['disposed']);
  });

  it('rejects with what the disposal threw when the work succeeds', async () => {
    const error = new Error('stuck');
    await expect(new FakeScopes(error).run(() => 'fine')).rejects.toBe(error);
  });

  it('rejects with both errors, that of the work first, when the disposal fails as well', async () => {
    const [stuck, broken] = [new Error('stuck'), new Error('broken')];
    const thrown: unknown = await new FakeScopes(stuck)
      .run(() => Promise.reject(broken))
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AggregateError);
    expect((thrown as AggregateError).errors).toEqual([broken, stuck]);
  });
});
