import { ConflictException, Injectable } from '@nestjs/common';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { ConnectionPool } from '../database/connection-pool.js';
import type { Customer, NewCustomer } from './customer.js';

@Injectable()
export class CustomerRegister {
  constructor(private readonly pool: ConnectionPool) {}

  add(customer: NewCustomer): Customer {
    using connection = this.pool.acquire();
    return insert(connection.database, customer);
  }

  /** Adds a customer together with what `also` does in the same transaction: both are done, or neither. */
  async addTogether(
    newCustomer: NewCustomer,
    also: (customer: Customer, transaction: DatabaseSyncInstance) => Promise<unknown>,
  ): Promise<Customer> {
    using connection = this.pool.acquire();
    const { database } = connection;
    database.exec('BEGIN IMMEDIATE');
    try {
      const customer = insert(database, newCustomer);
      await also(customer, database);
      database.exec('COMMIT');
      return customer;
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  }

  remove({ id }: Customer): void {
    using connection = this.pool.acquire();
    connection.database.prepare('DELETE FROM customers WHERE id = ?').run(id);
  }
}

function insert(database: DatabaseSyncInstance, { name, email }: NewCustomer): Customer {
  const statement = database.prepare(
    'INSERT INTO customers (name, email) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const { changes, lastInsertRowid } = statement.run(name, email);
  if (Number(changes) === 0) throw new ConflictException(`${email} is a customer already.`);
  return { id: Number(lastInsertRowid), name, email };
}
