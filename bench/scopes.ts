import { Injectable, Module, Scope } from '@nestjs/common';
import { ContextIdFactory, ModuleRef, NestFactory } from '@nestjs/core';
import { BackgroundModule, ServiceScopeFactory } from 'nestjs-nightshift';
import type { Row } from './comparison.js';

@Injectable({ scope: Scope.REQUEST })
class Connection {}

@Injectable()
class Repository {
  constructor(readonly connection: Connection) {}
}

@Injectable()
class Service {
  constructor(readonly repository: Repository) {}
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Connection, Repository, Service] })
class AppModule {}

/** A unit of work through a scope three providers deep, against Nest's own `resolve` of the same tree. */
export async function scopeRows(): Promise<{ rows: Row[]; close: () => Promise<void> }> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const scopes = app.get(ServiceScopeFactory);
  const moduleRef = app.get(ModuleRef);
  const row: Row = {
    name: 'unit of work through a scope three deep',
    amount: 10_000,
    ours: {
      name: 'nightshift',
      async run(amount) {
        for (let i = 0; i < amount; i += 1) await scopes.run((scope) => scope.resolve(Service));
      },
    },
    peers: [
      {
        name: 'bare moduleRef.resolve',
        target: 1 / 1.15,
        async run(amount) {
          for (let i = 0; i < amount; i += 1) {
            const contextId = ContextIdFactory.create();
            moduleRef.registerRequestByContextId({}, contextId);
            await moduleRef.resolve(Service, contextId, { strict: false });
          }
        },
      },
    ],
  };
  return { rows: [row], close: () => app.close() };
}
