import { Inject, Injectable, Module, Scope, type ModuleMetadata } from '@nestjs/common';
import { ModuleRef, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ScopeDisposedError } from '../errors.js';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { BackgroundModule } from './background.module.js';

async function setup(metadata: ModuleMetadata) {
  const imports = [BackgroundModule.forRoot(), ...(metadata.imports ?? [])];
  const app = await Test.createTestingModule({ ...metadata, imports }).compile();
  onTestFinished(() => app.close());
  await app.init();
  return { app, scopes: app.get(ServiceScopeFactory) };
}

@Injectable({ scope: Scope.REQUEST })
class Session {}

@Injectable()
class Single {}

@Injectable({ scope: Scope.TRANSIENT })
class Fresh {}

@Injectable()
class UsesSession {
  constructor(
    readonly session: Session,
    readonly single: Single,
    readonly fresh: Fresh,
  ) {}
}

@Injectable()
class AlsoUsesSession {
  constructor(
    readonly session: Session,
    readonly fresh: Fresh,
    @Inject(REQUEST) readonly request: object,
    readonly moduleRef: ModuleRef,
  ) {}
}

@Injectable()
class Unprovided {}

const providers = [Session, Single, Fresh, UsesSession, AlsoUsesSession];

describe('ServiceScope.resolve', () => {
  it('D2 gives one instance within a scope and another in each other scope', async () => {
    const { scopes } = await setup({ providers });
    const [one, other] = [scopes.createScope(), scopes.createScope()];
    const session = await one.resolve(Session);
    expect(session).toBeInstanceOf(Session);
    expect(await one.resolve(Session)).toBe(session);
    expect((await one.resolve(UsesSession)).session).toBe(session);
    expect(await other.resolve(Session)).not.toBe(session);
  });

  it('D2 gives one instance when it is asked for twice at the same time', async () => {
    const { scopes } = await setup({ providers });
    const scope = scopes.createScope();
    const [one, other] = await Promise.all([scope.resolve(UsesSession), scope.resolve(AlsoUsesSession)]);
    expect(one.session).toBe(other.session);
  });

  it('D3 gives everyone who injects a transient an instance of their own', async () => {
    const { scopes } = await setup({ providers });
    const scope = scopes.createScope();
    const [one, other] = [await scope.resolve(UsesSession), await scope.resolve(AlsoUsesSession)];
    expect(one.fresh).toBeInstanceOf(Fresh);
    expect(one.fresh).not.toBe(other.fresh);
    expect((await scopes.run((next) => next.resolve(UsesSession))).fresh).not.toBe(one.fresh);
  });

  it("D4 gives the application's own instance of a singleton", async () => {
    const { app, scopes } = await setup({ providers });
    const single = await scopes.run((scope) => scope.resolve(Single));
    expect(single).toBe(app.get(Single));
    expect((await scopes.run((scope) => scope.resolve(UsesSession))).single).toBe(single);
  });

  it('D1 keeps a scope that is made inside another one alive when the outer one is disposed', async () => {
    const { scopes } = await setup({ providers });
    const outer = scopes.createScope();
    const inner = scopes.createScope();
    await outer.resolve(Session);
    const session = await inner.resolve(Session);
    await outer[Symbol.asyncDispose]();
    expect(await inner.resolve(Session)).toBe(session);
  });

  it('D5 gives the scope identity to whoever resolves more by way of ModuleRef', async () => {
    const { scopes } = await setup({ providers });
    const scope = scopes.createScope();
    const { moduleRef, session } = await scope.resolve(AlsoUsesSession);
    expect(await moduleRef.resolve(Session, scope.contextId)).toBe(session);
    expect(scope.contextId).toBe(scope.contextId);
  });

  it('gives the context of the scope under REQUEST, and an empty object when there is none', async () => {
    const { scopes } = await setup({ providers });
    const context = { tenant: 'lollipops' };
    expect((await scopes.createScope(context).resolve(AlsoUsesSession)).request).toBe(context);
    expect(await scopes.createScope(context).resolve(REQUEST as string)).toBe(context);
    expect((await scopes.createScope().resolve(AlsoUsesSession)).request).toEqual({});
  });

  it('D16 rejects once the scope is disposed, and the application still gives singletons', async () => {
    const { app, scopes } = await setup({ providers });
    const scope = scopes.createScope();
    await scope[Symbol.asyncDispose]();
    await expect(scope.resolve(Session)).rejects.toBeInstanceOf(ScopeDisposedError);
    await expect(scope.resolve(Single)).rejects.toThrow(/^Single was resolved from a scope/);
    await expect(scope.resolve('NOBODY')).rejects.toThrow(/^NOBODY was resolved from a scope/);
    await expect(scope.resolve(Unprovided)).rejects.toThrow(/^Unprovided was resolved/);
    expect(app.get(Single)).toBeInstanceOf(Single);
  });

  it('D36 rejects, naming it, when nobody provides the token', async () => {
    const { scopes } = await setup({ providers });
    await expect(scopes.createScope().resolve(Unprovided)).rejects.toThrow(/Unprovided/);
    await expect(scopes.createScope().resolve('NOBODY')).rejects.toThrow(/NOBODY/);
    await expect(scopes.createScope().resolve(Symbol('nobody'))).rejects.toThrow(/nobody/);
  });

  it('D36 gives the last one when several modules provide the token', async () => {
    @Module({})
    class First {}
    @Module({})
    class Second {}
    const { scopes } = await setup({
      imports: [
        { module: First, providers: [{ provide: 'WHO', useValue: 'first' }] },
        { module: Second, providers: [{ provide: 'WHO', useValue: 'second' }] },
      ],
    });
    expect(await scopes.createScope().resolve('WHO')).toBe('second');
  });

  it('finds providers that no module exports, through their own module', async () => {
    @Module({})
    class Hidden {}
    const { scopes } = await setup({
      imports: [{ module: Hidden, providers: [Session, Single, Fresh, UsesSession] }],
    });
    expect((await scopes.createScope().resolve(UsesSession)).session).toBeInstanceOf(Session);
  });

  it('follows an alias, also within the scope', async () => {
    const { app, scopes } = await setup({
      providers: [
        ...providers,
        { provide: 'S', useExisting: Session },
        { provide: 'ONE', useExisting: Single },
      ],
    });
    const scope = scopes.createScope();
    expect(await scope.resolve('S')).toBe(await scope.resolve(Session));
    expect(await scope.resolve('ONE')).toBe(app.get(Single));
  });
});

describe('ServiceScopeFactory', () => {
  it('D31 can be injected into a singleton', async () => {
    @Injectable()
    class Report {
      constructor(private readonly scopes: ServiceScopeFactory) {}
      make = () => this.scopes.run(async (scope) => (await scope.resolve(UsesSession)).session);
    }
    const { app } = await setup({ providers: [...providers, Report] });
    const report = app.get(Report);
    expect(await report.make()).not.toBe(await report.make());
  });

  it('opens nothing in the container until something is resolved', async () => {
    const { scopes } = await setup({ providers });
    await expect(scopes.createScope()[Symbol.asyncDispose]()).resolves.toBeUndefined();
    await expect(scopes.run(() => 'nothing resolved')).resolves.toBe('nothing resolved');
  });
});
