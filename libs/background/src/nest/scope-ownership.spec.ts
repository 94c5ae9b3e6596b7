import { Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { setup } from './scope.fixture.js';

/** Something that notes its own disposal. */
function intact() {
  const log: string[] = [];
  return { log, [Symbol.dispose]: () => log.push('disposed') };
}

describe('what the disposal of a scope leaves alone', () => {
  it('D4 is singletons, with their transients', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.TRANSIENT })
    class Buffer implements Disposable {
      [Symbol.dispose](): void {
        log.push('buffer');
      }
    }
    @Injectable()
    class Single implements Disposable {
      constructor(readonly buffer: Buffer) {}
      [Symbol.dispose](): void {
        log.push('single');
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Session {
      constructor(readonly single: Single) {}
    }
    const { scope } = await setup(Buffer, Single, Session);
    await scope.resolve(Single);
    await scope.resolve(Session);
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual([]);
  });

  it('is what a durable provider keeps', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Tenant implements Disposable {
      [Symbol.dispose](): void {
        log.push('tenant');
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Session implements Disposable {
      constructor(readonly tenant: Tenant) {}
      [Symbol.dispose](): void {
        log.push('session');
      }
    }
    const { scope } = await setup(Tenant, Session);
    await scope.resolve(Session);
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['session']);
  });

  it('D8 is values that the user handed in, and the context itself', async () => {
    const [value, context] = [intact(), intact()];
    const { scopes } = await setup(
      { provide: 'value', useValue: value },
      { provide: 'uses', scope: Scope.REQUEST, inject: ['value', REQUEST], useFactory: () => ({}) },
      {
        provide: 'context',
        scope: Scope.REQUEST,
        inject: [REQUEST],
        useFactory: (request: object) => request,
      },
    );
    await scopes.run(async (scope) => {
      await scope.resolve('uses');
      expect(await scope.resolve('context')).toBe(context);
    }, context);
    expect([...value.log, ...context.log]).toEqual([]);
  });

  it('D8 is a singleton that a scoped factory only hands out', async () => {
    const [injected, closedOver] = [intact(), intact()];
    const { scope } = await setup(
      { provide: 'injected', useValue: injected },
      { provide: 'other', useFactory: () => closedOver },
      { provide: 'hands out', scope: Scope.REQUEST, inject: ['injected'], useFactory: (it: object) => it },
      { provide: 'hands out other', scope: Scope.REQUEST, useFactory: () => closedOver },
    );
    expect(await scope.resolve('hands out')).toBe(injected);
    expect(await scope.resolve('hands out other')).toBe(closedOver);
    await scope[Symbol.asyncDispose]();
    expect([...injected.log, ...closedOver.log]).toEqual([]);
  });

  it.each([undefined, null, 'text', 5])('is nothing to dispose when a factory makes %j', async (made) => {
    const log: string[] = [];
    const { scope } = await setup(
      {
        provide: 'base',
        scope: Scope.REQUEST,
        useFactory: () => ({ [Symbol.dispose]: () => log.push('base') }),
      },
      { provide: 'made', scope: Scope.REQUEST, inject: ['base'], useFactory: () => made },
      { provide: 'top', scope: Scope.REQUEST, inject: ['made'], useFactory: (it: unknown) => [it] },
    );
    expect(await scope.resolve('top')).toEqual([made]);
    await expect(scope[Symbol.asyncDispose]()).resolves.toBeUndefined();
    expect(log).toEqual(['base']);
  });
});

describe('transients that were created for a scope', () => {
  it('D6 disposes transients, each of them, with the scope they were created for', async () => {
    const log: string[] = [];
    const numbers = [1, 2];
    @Injectable({ scope: Scope.TRANSIENT })
    class Buffer implements Disposable {
      readonly number = numbers.shift();
      [Symbol.dispose](): void {
        log.push(`buffer ${this.number}`);
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Left implements Disposable {
      constructor(readonly buffer: Buffer) {}
      [Symbol.dispose](): void {
        log.push('left');
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Right {
      constructor(
        readonly left: Left,
        readonly buffer: Buffer,
      ) {}
    }
    const { scope } = await setup(Buffer, Left, Right);
    await scope.resolve(Right);
    await scope[Symbol.asyncDispose]();
    expect(log.toSorted()).toEqual(['buffer 1', 'buffer 2', 'left']);
    expect(log[0]).toBe('left');
  });

  it('D6 disposes a transient that was resolved by itself', async () => {
    const log: string[] = [];
    @Injectable({ scope: Scope.TRANSIENT })
    class Buffer implements Disposable {
      [Symbol.dispose](): void {
        log.push('buffer');
      }
    }
    const { scopes } = await setup(Buffer);
    await scopes.run((scope) => scope.resolve(Buffer));
    await scopes.run((scope) => scope.resolve(Buffer));
    expect(log).toEqual(['buffer', 'buffer']);
  });
});
