import { Inject, Injectable, Module, Scope, type ModuleMetadata, type Provider } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CaptiveDependencyError } from '../errors.js';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { BackgroundModule } from './background.module.js';
import { BackgroundService } from './decorators.js';

const compile = ({ imports = [], ...metadata }: ModuleMetadata) =>
  Test.createTestingModule({
    ...metadata,
    imports: [BackgroundModule.forRoot({ clock: new ManualClock() }), ...imports],
  }).compile();

async function setup(metadata: ModuleMetadata) {
  const app = await compile(metadata);
  onTestFinished(() => app.close());
  await app.init();
  return { app, scopes: app.get(ServiceScopeFactory) };
}

/** A class that notes how it ends. */
function noted(name: string, scope: Scope, log: string[]) {
  @Injectable({ scope })
  class Noted implements Disposable {
    [Symbol.dispose](): void {
      log.push(`${name} disposed`);
    }

    onModuleDestroy(): void {
      log.push(`${name} destroyed`);
    }
  }
  return Noted;
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

const providers = [Session, Buffer, Orders];

describe('what is resolved outside every scope', () => {
  it('D28 is refused when it is request-scoped', async () => {
    const { app } = await setup({ providers });
    expect(() => app.get(Session)).toThrow(/Session is marked as a scoped provider/);
  });

  it('D29 is refused when it needs something request-scoped, through a transient or not', async () => {
    const { app } = await setup({ providers });
    expect(() => app.get(Buffer)).toThrow(/Buffer is marked as a scoped provider/);
    expect(() => app.get(Orders)).toThrow(/Orders is marked as a scoped provider/);
  });

  it('D35 is new each time when it is asked for with resolve(), and never kept', async () => {
    const { app } = await setup({ providers });
    expect(await app.resolve(Session)).not.toBe(await app.resolve(Session));
    expect((await app.resolve(Orders)).session).not.toBe((await app.resolve(Orders)).session);
  });

  it('D30 is judged by the last provider of its token alone', async () => {
    @Module({})
    class First {}
    @Module({})
    class Second {}
    const scoped: Provider = { provide: 'WHO', scope: Scope.REQUEST, useFactory: () => 'scoped' };
    const single: Provider = { provide: 'WHO', useValue: 'single' };
    const provided = (first: Provider, second: Provider) => ({
      imports: [
        { module: First, providers: [first] },
        { module: Second, providers: [second] },
      ],
    });
    const last = { strict: false };
    expect((await setup(provided(scoped, single))).app.get('WHO', last)).toBe('single');
    const { app } = await setup(provided(single, scoped));
    expect(() => app.get('WHO', last)).toThrow(/WHO is marked as a scoped provider/);
  });

  it('D4 D6 D8 ends by the hooks of Nest when it is a singleton, and is not disposed, nor are its transients', async () => {
    const log: string[] = [];
    const [Single, Fresh, Factory] = [
      noted('singleton', Scope.DEFAULT, log),
      noted('transient', Scope.TRANSIENT, log),
      noted('made by a factory', Scope.DEFAULT, log),
    ];
    const { app } = await setup({
      providers: [Single, Fresh, { provide: Factory, useFactory: () => new Factory() }],
    });
    await app.resolve(Fresh);
    await app.close();
    expect(log.filter((line) => line.endsWith('disposed'))).toEqual([]);
    expect(log).toEqual(expect.arrayContaining(['singleton destroyed', 'made by a factory destroyed']));
  });
});

describe('an application', () => {
  it.each(['production', 'development', undefined])(
    'D34 refuses a captive dependency when NODE_ENV is %s',
    async (environment) => {
      onTestFinished(() => void vi.unstubAllEnvs());
      vi.stubEnv('NODE_ENV', environment);
      @BackgroundService()
      class Worker implements BackgroundService {
        constructor(readonly orders: Orders) {}
        execute(): void {}
      }
      const app = await compile({ providers: [...providers, Worker] });
      onTestFinished(() => app.close().catch(() => {}));
      await expect(app.init()).rejects.toBeInstanceOf(CaptiveDependencyError);
    },
  );

  it('D32 cannot see, and starts with, a scoped provider that a factory resolves by itself', async () => {
    @BackgroundService()
    class Worker implements BackgroundService {
      constructor(@Inject('report') readonly report: { readonly session: Session }) {}
      execute(): void {}
    }
    const report: Provider = {
      provide: 'report',
      inject: [ModuleRef],
      useFactory: async (moduleRef: ModuleRef) => ({ session: await moduleRef.resolve(Session) }),
    };
    const { app } = await setup({ providers: [Session, report, Worker] });
    expect(app.get(Worker).report.session).toBeInstanceOf(Session);
  });

  it.each([Scope.DEFAULT, Scope.REQUEST, Scope.TRANSIENT])(
    'D33 is not built when a provider cannot be, resolved or not, in scope %s',
    async (scope) => {
      @Injectable({ scope })
      class Broken {
        constructor(@Inject('MISSING') readonly missing: object) {}
      }
      @Injectable({ scope })
      class AlsoBroken {
        constructor(@Inject('MISSING TOO') readonly missing: object) {}
      }
      const compiled = compile({ providers: [Broken, AlsoBroken] });
      await expect(compiled).rejects.toThrow(/(?=[^]*Broken)(?=[^]*MISSING)(?![^]*AlsoBroken)/);
    },
  );
});

describe('a scope that is open when the application closes', () => {
  it('D18 is not disposed with it', async () => {
    const log: string[] = [];
    const Noted = noted('scoped', Scope.REQUEST, log);
    const { app, scopes } = await setup({ providers: [Noted] });
    const scope = scopes.createScope();
    await scope.resolve(Noted);
    await app.close();
    expect(log).toEqual([]);
    await scope[Symbol.asyncDispose]();
    expect(log).toEqual(['scoped disposed']);
  });

  it('D17 still resolves, and so does a new one, for work that was left behind', async () => {
    const { app, scopes } = await setup({ providers });
    const scope = scopes.createScope();
    const session = await scope.resolve(Session);
    await app.close();
    expect((await scope.resolve(Orders)).session).toBe(session);
    expect(await scopes.run((later) => later.resolve(Session))).toBeInstanceOf(Session);
  });
});
