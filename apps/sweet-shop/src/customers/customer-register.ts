import { ConflictException, Injectable } from '@nestjs/common';
import { ConnectionPool } from '../database/connection-pool.js';
import type { Customer, NewCustomer } from './customer.js';

@Injectable()
export class CustomerRegister {
  constructor(private readonly pool: ConnectionPool) {}

  add({ name, email }: NewCustomer): Customer {
    using connection = this.pool.acquire();
    const insert = connection.database.prepare(
      'INSERT INTO customers (name, email) VALUES (?, ?) ON CONFLICT DO NOTHING',
    );
    const { changes, lastInsertRowid } = insert.run(name, email);
    if (Number(changes) === 0) throw new ConflictException(`${email} is a customer already.`);
    return { id: Number(lastInsertRowid), name, email };
  }

  remove({ id }: Customer): void {
    using connection = this.pool.acquire();
    connection.database.prepare('DELETE FROM customers WHERE id = ?').run(id);
  }
}
