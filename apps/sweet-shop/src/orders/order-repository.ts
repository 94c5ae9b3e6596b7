import { Injectable, Scope } from '@nestjs/common';
import { ConnectionPool, type Connection } from '../database/connection-pool.js';
import type { NewOrder, Order } from './order.js';

type Row = Omit<Order, 'placedAt'> & { readonly placedAt: string };

/** The orders, by a connection that belongs to one scope: taken when the scope needs it, given back when it ends. */
@Injectable({ scope: Scope.REQUEST })
export class OrderRepository implements Disposable {
  private readonly connection: Connection;

  constructor(pool: ConnectionPool) {
    this.connection = pool.acquire();
  }

  add({ sweet, amount, placedAt }: NewOrder): number {
    const insert = this.connection.database.prepare(
      'INSERT INTO orders (sweet, amount, placedAt) VALUES (?, ?, ?)',
    );
    return Number(insert.run(sweet, amount, placedAt.toISOString()).lastInsertRowid);
  }

  all(): Order[] {
    const rows = this.connection.database.prepare('SELECT * FROM orders ORDER BY placedAt').all() as Row[];
    return rows.map((row) => ({ ...row, placedAt: new Date(row.placedAt) }));
  }

  /** @returns how many there were */
  removePlacedBefore(instant: Date): number {
    const remove = this.connection.database.prepare('DELETE FROM orders WHERE placedAt < ?');
    return Number(remove.run(instant.toISOString()).changes);
  }

  [Symbol.dispose](): void {
    this.connection[Symbol.dispose]();
  }
}
