import type { BackgroundEngine } from 'nestjs-nightshift';
import type { StoreAddress } from './crew-messages.js';
import type { Tally } from './tally.js';

export interface CountedEngine {
  readonly engine: BackgroundEngine;
  /** When the application has ended. */
  end(): Promise<void>;
}

const nothing = async (): Promise<void> => {};

/** An engine with connections of its own, as each process in production has one, whose calls are counted. */
export async function engineAt(address: StoreAddress, tally: Tally): Promise<CountedEngine> {
  switch (address.kind) {
    case 'postgres': {
      const { postgresEngine } = await import('nestjs-nightshift/postgres');
      const { countingPool } = await import('./counting-pg.js');
      const pool = countingPool(address.url, tally);
      pool.on('error', () => {}); // the server ends before the pool does
      return { engine: postgresEngine({ pool: pool as never, graphile: 'none' }), end: () => pool.end() };
    }
    case 'bullmq': {
      const { bullmqEngine } = await import('nestjs-nightshift/bullmq');
      return { engine: bullmqEngine({ connection: address.url }), end: nothing };
    }
    case 'sqlite': {
      const { sqliteEngine } = await import('nestjs-nightshift/sqlite');
      return { engine: sqliteEngine({ file: address.file }), end: nothing };
    }
  }
}
