import { Injectable, Module, Scope } from '@nestjs/common';
import { BackgroundService, ServiceScopeFactory, TaskQueue } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.js';
import { Gate } from './gate.js';

/** What happened, told by classes that Nest instantiates. */
@Injectable()
class Journal {
  readonly entries: string[] = [];
}

@Injectable({ scope: Scope.REQUEST })
class Connection implements AsyncDisposable {
  constructor(private readonly journal: Journal) {}

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    this.journal.entries.push('connection closed');
  }
}

@Injectable({ scope: Scope.REQUEST })
class Transaction implements Disposable {
  constructor(
    private readonly journal: Journal,
    readonly connection: Connection,
  ) {}

  [Symbol.dispose](): void {
    this.journal.entries.push('transaction ended');
  }
}

@Module({ providers: [Journal, Connection, Transaction], exports: [Journal, Transaction] })
class DatabaseModule {}

const disposed = ['transaction ended', 'connection closed'];

describe('nestjs/nest#2809: request-scoped instances are disposed', () => {
  it('after each tick, dependents first, when the tick has ended', async () => {
    const gate = new Gate();

    @BackgroundService({ every: '1m' })
    class Cleanup implements BackgroundService {
      constructor(readonly transaction: Transaction) {}

      execute(): Promise<void> {
        return gate.opened;
      }
    }
    await using application = await startApplication({ imports: [DatabaseModule], providers: [Cleanup] });
    const { entries } = application.app.get(Journal);
    await application.clock.advance('1m');
    expect(entries).toEqual([]);
    gate.open();
    await application.clock.advance(0);
    expect(entries).toEqual(disposed);
    await application.clock.advance('1m');
    expect(entries).toEqual([...disposed, ...disposed]);
  });

  it('after a task, and before its result is there, when the task failed', async () => {
    await using application = await startApplication({ imports: [DatabaseModule] });
    const { entries } = application.app.get(Journal);
    const handle = await application.app.get(TaskQueue).enqueue(async ({ scope }) => {
      await scope.resolve(Transaction);
      throw new Error('no luck');
    });
    await expect(handle.result()).rejects.toThrow('no luck');
    expect(entries).toEqual(disposed);
  });

  it('after a scope of your own when its work has ended', async () => {
    await using application = await startApplication({ imports: [DatabaseModule] });
    const { entries } = application.app.get(Journal);
    await application.app.get(ServiceScopeFactory).run(async (scope) => {
      await scope.resolve(Transaction);
      expect(entries).toEqual([]);
    });
    expect(entries).toEqual(disposed);
  });
});
