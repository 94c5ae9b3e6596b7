import { Injectable } from '@nestjs/common';
import { ConnectionPool } from '../database/connection-pool.js';
import type { WholesaleOrder } from './pack-order.js';

/** Which orders are packed. */
@Injectable()
export class WholesaleLedger {
  constructor(private readonly pool: ConnectionPool) {}

  has(id: string): boolean {
    using connection = this.pool.acquire();
    return connection.database.prepare('SELECT 1 FROM wholesale WHERE id = ?').get(id) !== undefined;
  }

  add({ id, customer, sweet, amount }: WholesaleOrder): void {
    using connection = this.pool.acquire();
    const insert = connection.database.prepare(
      'INSERT INTO wholesale (id, customer, sweet, amount) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    insert.run(id, customer, sweet, amount);
  }

  /** The last hundred, newest first. */
  last(): WholesaleOrder[] {
    using connection = this.pool.acquire();
    return connection.database
      .prepare('SELECT id, customer, sweet, amount FROM wholesale ORDER BY rowid DESC LIMIT 100')
      .all() as WholesaleOrder[];
  }
}
