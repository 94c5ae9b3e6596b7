import { Inject, Injectable, Scope } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { ScopeDisposedError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { setup } from './scope.fixture.js';

@Injectable({ scope: Scope.REQUEST })
class Session {}

@Injectable({ scope: Scope.TRANSIENT })
class Fresh {}

@Injectable()
class Orders {
  constructor(readonly session: Session) {}
}

function disposables(log: string[]) {
  @Injectable({ scope: Scope.REQUEST })
  class SyncOnly implements Disposable {
    [Symbol.dispose](): void {
      log.push('sync only');
    }
  }
  @Injectable({ scope: Scope.REQUEST })
  class AsyncOnly implements AsyncDisposable {
    constructor(readonly base: SyncOnly) {}
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.resolve();
      log.push('async only');
    }
  }
  return { SyncOnly, AsyncOnly };
}

describe('a scope', () => {
  it('D9 has no synchronous disposal, which could not end what disposes asynchronously', async () => {
    const { scope } = await setup(Session);
    expect(Symbol.dispose in scope).toBe(false);
    expect(Symbol.asyncDispose in scope).toBe(true);
  });

  it('D11 disposes what has the synchronous form only, in its turn', async () => {
    const log: string[] = [];
    const { SyncOnly, AsyncOnly } = disposables(log);
    const { scope } = await setup(SyncOnly, AsyncOnly);
    await scope.resolve(AsyncOnly);
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['async only', 'sync only']);
  });

  it('D14 disposes the rest when one rejects later, and rejects with that error unchanged', async () => {
    const log: string[] = [];
    const error = new Error('stuck');
    const { SyncOnly } = disposables(log);
    @Injectable({ scope: Scope.REQUEST })
    class Stuck implements AsyncDisposable {
      constructor(@Inject(SyncOnly) readonly base: object) {}
      async [Symbol.asyncDispose](): Promise<void> {
        await Promise.resolve();
        throw error;
      }
    }
    const { scope } = await setup(SyncOnly, Stuck);
    await scope.resolve(Stuck);
    await expect(scope[Symbol.asyncDispose]()).rejects.toBe(error);
    expect(log).toEqual(['sync only']);
  });

  it('D23 is disposed by `await using`, before what follows the block', async () => {
    const log: string[] = [];
    const { SyncOnly, AsyncOnly } = disposables(log);
    const { scopes } = await setup(SyncOnly, AsyncOnly);
    {
      await using scope = scopes.createScope();
      await scope.resolve(AsyncOnly);
      log.push('block');
    }
    log.push('after');
    expect(log).toEqual(['block', 'async only', 'sync only', 'after']);
  });

  it('D23 is disposed by `await using` when the block throws', async () => {
    const log: string[] = [];
    const { SyncOnly } = disposables(log);
    const { scopes } = await setup(SyncOnly);
    const block = async (): Promise<void> => {
      await using scope = scopes.createScope();
      await scope.resolve(SyncOnly);
      throw new Error('no paper');
    };
    await expect(block()).rejects.toThrow('no paper');
    expect(log).toEqual(['sync only']);
  });

  it('D1 is no part of the scope that it was made in, by the one factory of the application', async () => {
    const { scopes, scope: outer } = await setup(Session);
    const factory = await outer.resolve(ServiceScopeFactory);
    expect(factory).toBe(scopes);
    const inner = factory.createScope();
    const session = await inner.resolve(Session);
    expect(await outer.resolve(Session)).not.toBe(session);
    await outer[Symbol.asyncDispose]();
    expect(await inner.resolve(Session)).toBe(session);
    await expect(outer.resolve(Session)).rejects.toBeInstanceOf(ScopeDisposedError);
  });

  it('D3 gives one instance of a transient to all who ask the scope itself for it', async () => {
    const { scopes, scope } = await setup(Fresh);
    const fresh = await scope.resolve(Fresh);
    expect(await scope.resolve(Fresh)).toBe(fresh);
    expect(await scopes.createScope().resolve(Fresh)).not.toBe(fresh);
  });

  it('D27 makes its own instance of what depends on something scoped, declared so or not', async () => {
    const { scopes, scope } = await setup(Session, Orders);
    const orders = await scope.resolve(Orders);
    expect(orders.session).toBe(await scope.resolve(Session));
    const other = await scopes.createScope().resolve(Orders);
    expect(other).not.toBe(orders);
    expect(other.session).not.toBe(orders.session);
  });

  it('D37 waits for factories that are asynchronous, once for all who ask', async () => {
    const held = gate<object>();
    const calls: string[] = [];
    const useFactory = (): Promise<object> => {
      calls.push('called');
      return held.opened;
    };
    const { scope } = await setup({ provide: 'connection', scope: Scope.REQUEST, useFactory });
    const asked = Promise.all([scope.resolve('connection'), scope.resolve('connection')]);
    const connection = {};
    held.open(connection);
    const [one, other] = await asked;
    expect([one, other]).toEqual([connection, connection]);
    expect(one).toBe(other);
    expect(calls).toEqual(['called']);
  });
});
