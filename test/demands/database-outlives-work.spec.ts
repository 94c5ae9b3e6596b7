import { Global, Injectable, Module, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { BackgroundService, TaskQueue } from 'nestjs-nightshift';
import { describe, expect, it } from 'vitest';
import { startApplication, type Application } from './application.js';
import { Gate } from './gate.js';

abstract class Database {
  readonly rows: string[] = [];
  isOpen = true;

  insert(row: string): void {
    if (!this.isOpen) throw new Error('The database is closed.');
    this.rows.push(row);
  }

  protected close(): void {
    this.isOpen = false;
  }
}

@Injectable()
class DatabaseClosedLate extends Database implements OnApplicationShutdown {
  onApplicationShutdown(): void {
    this.close();
  }
}

@Injectable()
class DatabaseClosedEarly extends Database implements OnModuleDestroy {
  onModuleDestroy(): void {
    this.close();
  }
}

/** A tick, a task that runs and one that waits; all write when the gate is opened, which is after `close()`. */
async function workThroughClose(
  { app, clock }: Application,
  database: Database,
  gate: Gate,
): Promise<readonly string[]> {
  const queue = app.get(TaskQueue);
  const write = async (row: string): Promise<void> => {
    await gate.opened;
    database.insert(row);
  };
  const handles = [
    await queue.enqueue(() => write('running task')),
    await queue.enqueue(() => write('waiting task')),
  ];
  await clock.advance('1m');
  const closing = app.close();
  await clock.advance(0);
  expect(database.isOpen).toBe(true);
  gate.open();
  await closing;
  await Promise.all(handles.map((handle) => handle.result()));
  expect(database.isOpen).toBe(false);
  return database.rows;
}

describe('nestjs/nest#12913: the database is still open while work drains', () => {
  it.each([
    { closedIn: 'onApplicationShutdown', drainOn: 'onApplicationShutdown', type: DatabaseClosedLate },
    { closedIn: 'onModuleDestroy', drainOn: 'onModuleDestroy', type: DatabaseClosedEarly },
    { closedIn: 'onApplicationShutdown', drainOn: 'onModuleDestroy', type: DatabaseClosedLate },
  ] as const)('when it is closed in $closedIn and drainOn is $drainOn', async ({ drainOn, type }) => {
    const gate = new Gate();

    @BackgroundService({ every: '1m' })
    class Report implements BackgroundService {
      constructor(private readonly database: Database) {}

      async execute(): Promise<void> {
        await gate.opened;
        this.database.insert('tick');
      }
    }

    @Global()
    @Module({ providers: [{ provide: Database, useClass: type }], exports: [Database] })
    class DatabaseModule {}

    @Module({ providers: [Report] })
    class ReportsModule {}
    await using application = await startApplication(
      { imports: [ReportsModule, DatabaseModule] },
      { drainOn },
    );
    const rows = await workThroughClose(application, application.app.get(Database), gate);
    expect([...rows].toSorted()).toEqual(['running task', 'tick', 'waiting task']);
  });
});
