import { forwardRef, Inject, Injectable, Scope, type Provider } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CaptiveDependencyError } from '../errors.js';
import { BackgroundHost } from '../hosting/host.js';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { BackgroundModule } from './background.module.js';
import { BackgroundService, HostedService, InjectBackgroundContext } from './decorators.js';

async function setup(...providers: Provider[]) {
  const imports = [BackgroundModule.forRoot({ clock: new ManualClock() })];
  const app = await Test.createTestingModule({ imports, providers }).compile();
  onTestFinished(() => app.close().catch(() => {}));
  const error: unknown = await app.init().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { app, error };
}

@Injectable({ scope: Scope.REQUEST })
class Session {}

@Injectable({ scope: Scope.TRANSIENT })
class Buffer {
  constructor(readonly session: Session) {}
}

@Injectable()
class Orders {
  constructor(readonly session: Session) {}
}

@Injectable()
class Reports {
  constructor(readonly orders: Orders) {}
}

class Work implements BackgroundService {
  execute(): void {}
}

describe('a long-running service that depends on a request-scoped provider', () => {
  it('D24 is refused at start, naming both, when it injects it', async () => {
    @BackgroundService()
    class Worker extends Work {
      constructor(readonly session: Session) {
        super();
      }
    }
    const { error } = await setup(Session, Worker);
    expect(error).toBeInstanceOf(CaptiveDependencyError);
    expect(error).toMatchObject({
      code: 'CAPTIVE_DEPENDENCY',
      service: 'Worker',
      path: ['Worker', 'Session'],
    });
    expect((error as Error).message).toMatch(/every[^]*ServiceScopeFactory/);
  });

  it('D25 is refused naming the path when there is a transient in between', async () => {
    @BackgroundService()
    class Worker extends Work {
      constructor(readonly buffer: Buffer) {
        super();
      }
    }
    expect((await setup(Session, Buffer, Worker)).error).toMatchObject({
      path: ['Worker', 'Buffer', 'Session'],
    });
  });

  it('D26 is refused naming the path when there are other providers in between', async () => {
    @BackgroundService()
    class Worker extends Work {
      constructor(readonly reports: Reports) {
        super();
      }
    }
    const { error } = await setup(Session, Orders, Reports, Worker);
    expect(error).toMatchObject({ path: ['Worker', 'Reports', 'Orders', 'Session'] });
    expect((error as Error).message).toContain('Worker -> Reports -> Orders -> Session');
  });

  it('is refused when it is injected into a property', async () => {
    @BackgroundService()
    class Worker extends Work {
      @Inject(Orders) readonly orders!: Orders;
    }
    expect((await setup(Session, Orders, Worker)).error).toMatchObject({
      path: ['Worker', 'Orders', 'Session'],
    });
  });

  it('D32 is refused when a factory is in between, whose dependencies Nest knows', async () => {
    @BackgroundService()
    class Worker extends Work {
      constructor(@Inject('report') readonly report: object) {
        super();
      }
    }
    const factory = { provide: 'report', inject: [Orders], useFactory: () => ({}) };
    const { error } = await setup(Session, Orders, factory, Worker);
    expect(error).toMatchObject({ path: ['Worker', 'report', 'Orders', 'Session'] });
  });

  it('is refused when it injects the context of a tick, which it has none of', async () => {
    @BackgroundService()
    class Worker extends Work {
      constructor(@InjectBackgroundContext() readonly context: object) {
        super();
      }
    }
    expect((await setup(Worker)).error).toMatchObject({ path: ['Worker', REQUEST] });
  });

  it('is refused, and not walked round for ever, when there is a circle in between', async () => {
    @Injectable()
    class Hen {
      constructor(@Inject(forwardRef(() => Egg)) readonly egg: object) {}
    }
    @Injectable()
    class Egg {
      constructor(
        @Inject(forwardRef(() => Hen)) readonly hen: object,
        readonly session: Session,
      ) {}
    }
    @BackgroundService()
    class Worker extends Work {
      constructor(readonly hen: Hen) {
        super();
      }
    }
    expect((await setup(Session, Hen, Egg, Worker)).error).toMatchObject({
      path: ['Worker', 'Hen', 'Egg', 'Session'],
    });
  });

  it('is refused when it is a hosted service, or is itself request-scoped', async () => {
    @HostedService()
    class Server {
      constructor(readonly session: Session) {}
      start(): void {}
      stop(): void {}
    }
    @Injectable({ scope: Scope.REQUEST })
    @BackgroundService()
    class Worker extends Work {}
    expect((await setup(Session, Server)).error).toMatchObject({ path: ['Server', 'Session'] });
    expect((await setup(Worker)).error).toMatchObject({ path: ['Worker'] });
  });

  it('D31 is accepted when it injects ServiceScopeFactory instead', async () => {
    @BackgroundService()
    class Worker extends Work {
      constructor(readonly scopes: ServiceScopeFactory) {
        super();
      }
    }
    const { app, error } = await setup(Session, Worker);
    expect(error).toBeUndefined();
    expect(app.get(BackgroundHost).service(Worker).state).toBe('completed');
  });

  it('is accepted when it ticks', async () => {
    @BackgroundService({ every: '1h' })
    class Worker extends Work {
      constructor(readonly reports: Reports) {
        super();
      }
    }
    const { app, error } = await setup(Session, Orders, Reports, Worker);
    expect(error).toBeUndefined();
    expect(app.get(BackgroundHost).service(Worker).state).toBe('running');
  });
});
