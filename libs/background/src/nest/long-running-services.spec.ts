import { Injectable, Scope } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CaptiveDependencyError } from '../errors.js';
import { BackgroundHost } from '../hosting/host.js';
import type { ExceptionBehavior } from '../hosting/hosting.options.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { setup } from './application.fixture.js';
import { BackgroundService } from './decorators.js';

function failing(name: string, exceptionBehavior: ExceptionBehavior) {
  @BackgroundService({ name, exceptionBehavior })
  class Failing {
    execute = () => Promise.reject(new Error(name));
  }
  return Failing;
}

describe('A long-running service', () => {
  it('B21 says for itself what its fault does', async () => {
    const { app, clock } = await setup([failing('harmless', 'ignore')]);
    await clock.advance(0);
    const lifetime = app.get(ApplicationLifetime);
    expect(app.get(BackgroundHost).service('harmless').state).toBe('faulted');
    expect(lifetime.stopping.aborted).toBe(false);
    await app.get(BackgroundHost).addService(new (failing('vital', 'stopHost'))());
    await clock.advance(0);
    expect(lifetime.stopReason).toMatchObject({ cause: { message: 'vital' } });
  });

  it('B33 is one instance, and has scoped providers from scopes that it opens itself', async () => {
    const made: Orders[] = [];
    const seen: Orders[] = [];
    const runs: object[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Orders {
      constructor() {
        made.push(this);
      }
    }
    @BackgroundService()
    class Worker {
      constructor(private readonly scopes: ServiceScopeFactory) {}
      async execute(): Promise<void> {
        runs.push(this);
        for (let iteration = 1; iteration <= 2; iteration += 1)
          await this.scopes.run(async (scope) => {
            seen.push(await scope.resolve(Orders), await scope.resolve(Orders));
          });
      }
    }
    const { app, clock } = await setup([Orders, Worker]);
    await clock.advance(0);
    expect(runs).toEqual([app.get(Worker)]);
    expect(made).toHaveLength(2);
    expect(seen).toEqual([made[0], made[0], made[1], made[1]]);
  });

  it('B33 is refused when it has a scoped provider injected', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Orders {}
    @BackgroundService()
    class Worker {
      constructor(readonly orders: Orders) {}
      execute(): void {}
    }
    await expect(setup([Orders, Worker])).rejects.toBeInstanceOf(CaptiveDependencyError);
  });
});
