import { forwardRef, Inject, Injectable, Scope, type InjectionToken, type Provider } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { ScopeDisposedError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import type { ScopeToken } from '../scopes/scope.js';
import { setup } from './scope.fixture.js';

/** A request-scoped provider that notes its disposal in `log`. */
function disposable(name: string, log: string[], inject: InjectionToken[] = []): Provider {
  const useFactory = () => ({ name, [Symbol.dispose]: () => log.push(name) });
  return { provide: name, scope: Scope.REQUEST, inject, useFactory };
}

describe('the disposal of a scope', () => {
  it('D7 disposes dependents before what they depend on when they form a chain', async () => {
    const log: string[] = [];
    const { scope } = await setup(
      disposable('a', log, ['b']),
      disposable('b', log, ['c']),
      disposable('c', log),
    );
    await scope.resolve('a');
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['the deep one first', ['shallow', 'deep']],
    ['the deep one last', ['deep', 'shallow']],
  ])(
    'D7 disposes dependents before what they depend on when siblings differ in depth, %s',
    async (_, siblings) => {
      const log: string[] = [];
      const { scope } = await setup(
        disposable('top', log, siblings),
        disposable('shallow', log, ['shared']),
        disposable('deep', log, ['middle']),
        disposable('middle', log, ['shallow']),
        disposable('shared', log),
      );
      await scope.resolve('top');
      await scope[Symbol.asyncDispose]();
      expect(log).toEqual(['top', 'deep', 'middle', 'shallow', 'shared']);
    },
  );

  it('D7 disposes in reverse of the order in which it resolved when nothing depends on anything', async () => {
    const log: string[] = [];
    const { scope } = await setup(disposable('a', log), disposable('b', log), disposable('c', log));
    for (const token of ['b', 'a', 'c', 'b']) await scope.resolve(token);
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['c', 'a', 'b']);
  });

  it('D7 disposes what a factory resolved from its scope after what it made of it', async () => {
    const log: string[] = [];
    const scopeOf = { current: undefined as { resolve(token: ScopeToken): Promise<unknown> } | undefined };
    const { scope } = await setup(disposable('base', log), {
      provide: 'top',
      scope: Scope.REQUEST,
      useFactory: async () => {
        await scopeOf.current!.resolve('base');
        return { [Symbol.dispose]: () => log.push('top') };
      },
    });
    scopeOf.current = scope;
    await scope.resolve('top');
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['top', 'base']);
  });

  it('D10 prefers the asynchronous form and never calls both', async () => {
    const log: string[] = [];
    const both = {
      [Symbol.dispose]: () => log.push('sync'),
      [Symbol.asyncDispose]: async () => log.push('async'),
    };
    const { scope } = await setup({ provide: 'both', scope: Scope.REQUEST, useFactory: () => both });
    await scope.resolve('both');
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['async']);
  });

  it('D12 awaits each asynchronous disposal before the next', async () => {
    const log: string[] = [];
    const held = gate();
    const slow = {
      [Symbol.asyncDispose]: async () => {
        log.push('slow begins');
        await held.opened;
        log.push('slow ends');
      },
    };
    const { scope } = await setup(disposable('base', log), {
      provide: 'slow',
      scope: Scope.REQUEST,
      inject: ['base'],
      useFactory: () => slow,
    });
    await scope.resolve('slow');
    const disposed = scope[Symbol.asyncDispose]();
    held.open();
    await disposed;
    expect(log).toEqual(['slow begins', 'slow ends', 'base']);
  });

  it('D14 disposes the rest when one throws, and rethrows that error unchanged', async () => {
    const log: string[] = [];
    const error = new Error('stuck');
    const { scope } = await setup(disposable('base', log), failing('top', error, ['base']));
    await scope.resolve('top');
    await expect(scope[Symbol.asyncDispose]()).rejects.toBe(error);
    expect(log).toEqual(['base']);
  });

  it('D14 gathers the errors when several throw', async () => {
    const log: string[] = [];
    const errors = [new Error('first'), new Error('second')];
    const { scope } = await setup(
      failing('a', errors[0]!, ['b']),
      failing('b', errors[1]!, ['base']),
      disposable('base', log),
    );
    await scope.resolve('a');
    const thrown: unknown = await scope[Symbol.asyncDispose]().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AggregateError);
    expect((thrown as AggregateError).errors).toEqual(errors);
    expect(log).toEqual(['base']);
  });

  it('D15 disposes once when it is disposed twice', async () => {
    const log: string[] = [];
    const { scope } = await setup(disposable('a', log));
    await scope.resolve('a');
    expect(scope[Symbol.asyncDispose]()).toBe(scope[Symbol.asyncDispose]());
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['a']);
  });

  it('D20 disposes what is created while it is being disposed, and rejects whoever asked for it', async () => {
    const log: string[] = [];
    const held = gate();
    const useFactory = async () => {
      await held.opened;
      return { [Symbol.dispose]: () => log.push('late') };
    };
    const { scope } = await setup({ provide: 'late', scope: Scope.REQUEST, useFactory });
    const late = scope.resolve('late').catch((error: unknown) => error);
    const disposed = scope[Symbol.asyncDispose]();
    held.open();
    expect(await late).toBeInstanceOf(ScopeDisposedError);
    await disposed;
    expect(log).toEqual(['late']);
  });

  it('D21 disposes what was created before a dependent failed to be', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Broken {
      constructor(@Inject('base') readonly base: object) {
        throw new Error('no connection');
      }
    }
    const { scope } = await setup(disposable('base', log), Broken);
    await expect(scope.resolve(Broken)).rejects.toThrow('no connection');
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['base']);
  });

  it('D21 disposes what is still being created when a sibling failed to be', async () => {
    const log: string[] = [];
    const held = gate();
    const { scope } = await setup(
      { provide: 'top', scope: Scope.REQUEST, inject: ['broken', 'slow'], useFactory: () => ({}) },
      {
        provide: 'broken',
        scope: Scope.REQUEST,
        useFactory: () => Promise.reject(new Error('no connection')),
      },
      {
        provide: 'slow',
        scope: Scope.REQUEST,
        useFactory: async () => {
          await held.opened;
          return { [Symbol.dispose]: () => log.push('slow') };
        },
      },
    );
    await expect(scope.resolve('top')).rejects.toThrow('no connection');
    const disposed = scope[Symbol.asyncDispose]();
    held.open();
    await disposed;
    expect(log).toEqual(['slow']);
  });

  it('disposes each once when they depend on each other by forwardRef', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Hen implements Disposable {
      constructor(@Inject(forwardRef(() => Egg)) readonly egg: object) {}
      [Symbol.dispose](): void {
        log.push('hen');
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Egg implements Disposable {
      constructor(@Inject(forwardRef(() => Hen)) readonly hen: object) {}
      [Symbol.dispose](): void {
        log.push('egg');
      }
    }
    const { scope } = await setup(Hen, Egg);
    expect((await scope.resolve(Hen)).egg).toBeInstanceOf(Egg);
    await scope[Symbol.asyncDispose]();
    expect(log.toSorted()).toEqual(['egg', 'hen']);
  });

  it('disposes what was injected into a property', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Top {
      @Inject('base') readonly base!: object;
    }
    const { scope } = await setup(disposable('base', log), Top);
    expect((await scope.resolve(Top)).base).toMatchObject({ name: 'base' });
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['base']);
  });

  it('disposes once what has an alias', async () => {
    const log: string[] = [];
    const { scope } = await setup(disposable('a', log), { provide: 'alias', useExisting: 'a' });
    expect(await scope.resolve('alias')).toBe(await scope.resolve('a'));
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['a']);
  });
});

function failing(name: string, error: Error, inject: InjectionToken[] = []): Provider {
  const dispose = (): never => {
    throw error;
  };
  return { provide: name, scope: Scope.REQUEST, inject, useFactory: () => ({ [Symbol.dispose]: dispose }) };
}
