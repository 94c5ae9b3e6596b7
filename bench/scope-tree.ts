import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';

/** Request-scoped, and through it all that depends on it. */
@Injectable({ scope: Scope.REQUEST })
export class Connection {
  constructor(@Inject(REQUEST) readonly request: unknown) {}
}

@Injectable()
export class Repository {
  constructor(readonly connection: Connection) {}
}

@Injectable()
export class Service {
  constructor(readonly repository: Repository) {}
}

/** The three alone, with nothing of ours beside them. */
@Module({ providers: [Connection, Repository, Service] })
export class BareModule {}
