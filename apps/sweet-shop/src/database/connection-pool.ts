import { mkdirSync } from 'node:fs';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { ShopConfig } from '../shop.config.js';
import { schema } from './schema.js';

/** A connection on loan. Disposing it gives it back. */
export interface Connection extends Disposable {
  readonly database: DatabaseSyncInstance;
}

/** Connections to the shop's one SQLite file. */
@Injectable()
export class ConnectionPool implements OnApplicationShutdown {
  private readonly idle: DatabaseSyncInstance[] = [];
  private inUse = 0;
  private acquired = 0;

  constructor(private readonly config: ShopConfig) {}

  get stats(): { readonly idle: number; readonly inUse: number; readonly acquired: number } {
    return { idle: this.idle.length, inUse: this.inUse, acquired: this.acquired };
  }

  acquire(): Connection {
    const database = this.idle.pop() ?? this.open();
    this.inUse += 1;
    this.acquired += 1;
    return { database, [Symbol.dispose]: () => this.release(database) };
  }

  /** Comes after the last tick and the last task: of all modules, the one of the night shift is torn down first. */
  onApplicationShutdown(): void {
    for (const database of this.idle.splice(0)) database.close();
  }

  private release(database: DatabaseSyncInstance): void {
    this.inUse -= 1;
    this.idle.push(database);
  }

  private open(): DatabaseSyncInstance {
    mkdirSync(this.config.dataDir, { recursive: true });
    // The night shift may be writing to the same file just now.
    const database = new DatabaseSync(this.config.databaseFile, { timeout: 5_000 });
    database.exec(schema);
    return database;
  }
}
