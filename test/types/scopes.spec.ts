/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import {
  BackgroundContext,
  InjectBackgroundContext,
  InjectTaskQueue,
  type ScopeToken,
  type ServiceScope,
  type ServiceScopeFactory,
  type TaskContext,
  type TickContext,
  type WorkWrapper,
} from 'nestjs-nightshift';
import { describe, expectTypeOf, it } from 'vitest';

class Orders {
  constructor(readonly connection: string) {}
}
abstract class Repository {
  abstract find(id: number): Promise<string>;
}

describe('resolve()', () => {
  const resolve = (scope: ServiceScope) => ({
    byClass: scope.resolve(Orders),
    byAbstractClass: scope.resolve(Repository),
    byName: scope.resolve('orders'),
    bySymbol: scope.resolve(Symbol('orders')),
    typedByHand: scope.resolve<Orders>('orders'),
    byToken: (token: ScopeToken<Orders>) => scope.resolve(token),
  });
  type Resolved = ReturnType<typeof resolve>;

  it('gives an instance of the class that it is asked for, abstract ones too', () => {
    expectTypeOf<Resolved['byClass']>().toEqualTypeOf<Promise<Orders>>();
    expectTypeOf<Resolved['byAbstractClass']>().toEqualTypeOf<Promise<Repository>>();
    expectTypeOf<Resolved['byToken']>().returns.toEqualTypeOf<Promise<Orders>>();
  });

  it('gives what the caller says of a name or a symbol, and otherwise unknown', () => {
    expectTypeOf<Resolved['byName']>().toEqualTypeOf<Promise<unknown>>();
    expectTypeOf<Resolved['bySymbol']>().toEqualTypeOf<Promise<unknown>>();
    expectTypeOf<Resolved['typedByHand']>().toEqualTypeOf<Promise<Orders>>();
  });

  it('is asked with a token and not with an instance', () => {
    const wrong = (scope: ServiceScope) => [
      // @ts-expect-error: an instance
      scope.resolve(new Orders('a')),
      // @ts-expect-error: a circular import, perhaps
      scope.resolve(undefined),
    ];
    expectTypeOf(wrong).toBeFunction();
  });
});

describe('ServiceScopeFactory', () => {
  it('gives what the work gives, awaited', () => {
    const run = (scopes: ServiceScopeFactory) => ({
      asynchronous: scopes.run(async (scope) => (await scope.resolve(Orders)).connection),
      synchronous: scopes.run(() => 1),
      nothing: scopes.run(() => {}),
    });
    expectTypeOf<ReturnType<typeof run>['asynchronous']>().toEqualTypeOf<Promise<string>>();
    expectTypeOf<ReturnType<typeof run>['synchronous']>().toEqualTypeOf<Promise<number>>();
    expectTypeOf<ReturnType<typeof run>['nothing']>().toEqualTypeOf<Promise<void>>();
  });

  it('makes scopes for await using, and not for using', () => {
    expectTypeOf<ServiceScope>().toExtend<AsyncDisposable>();
    expectTypeOf<ServiceScope>().not.toExtend<Disposable>();
  });

  it('takes an object as the context of a scope', () => {
    const wrong = (scopes: ServiceScopeFactory) => [
      // @ts-expect-error: REQUEST is an object
      scopes.createScope('request'),
      scopes.createScope({ tenant: 1 }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });
});

describe('the context of work', () => {
  it('is a tick’s or a task’s, told apart by what they have', () => {
    expectTypeOf(BackgroundContext.current).returns.toEqualTypeOf<TickContext | TaskContext | undefined>();
    const name = (context: TickContext | TaskContext) => {
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(context.scope).toEqualTypeOf<ServiceScope>();
      if ('queue' in context) {
        expectTypeOf(context).toEqualTypeOf<TaskContext>();
        return context.queue;
      }
      expectTypeOf(context).toEqualTypeOf<TickContext>();
      return context.service;
    };
    expectTypeOf(name).returns.toEqualTypeOf<string>();
  });

  it('is injected into constructors and properties', () => {
    class UnitOfWork {
      @InjectBackgroundContext() readonly context!: TickContext | TaskContext;
      constructor(@InjectTaskQueue('mail') readonly mail: object) {}
    }
    expectTypeOf<UnitOfWork['context']>().toEqualTypeOf<TickContext | TaskContext>();
    const wrong = () => {
      // @ts-expect-error: no decorator of classes
      @InjectBackgroundContext()
      class Orders {}
      return Orders;
    };
    expectTypeOf(wrong).toBeFunction();
  });

  it('wraps work without changing what it gives', () => {
    const wrapper: WorkWrapper = async (context, run) => {
      expectTypeOf(context).toEqualTypeOf<TickContext | TaskContext | undefined>();
      return await run();
    };
    expectTypeOf(wrapper).toBeFunction();
    // @ts-expect-error: what the work gives is lost
    const losing: WorkWrapper = async (_, run) => void (await run());
    expectTypeOf(losing).toBeFunction();
  });
});
