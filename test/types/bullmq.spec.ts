import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { bullmqEngine, type BullmqEngineOptions } from 'nestjs-nightshift/bullmq';
import { describe, expectTypeOf, it } from 'vitest';

type Connection = BullmqEngineOptions['connection'];

describe('what `connection` takes', () => {
  it('is the options of ioredis, also by its own type, and its clients', () => {
    expectTypeOf<RedisOptions>().toExtend<Connection>();
    expectTypeOf<Redis>().toExtend<Connection>();
    expectTypeOf<Cluster>().toExtend<Connection>();
    expectTypeOf(bullmqEngine).toBeCallableWith({ connection: { host: 'cache', keepAlive: 1_000 } });
    expectTypeOf(bullmqEngine).toBeCallableWith({ connection: { sentinels: [{ host: 'a' }], name: 'main' } });
  });

  it('is nothing else', () => {
    expectTypeOf<number>().not.toExtend<Connection>();
    expectTypeOf<number[]>().not.toExtend<Connection>();
    expectTypeOf<Date>().not.toExtend<Connection>();
    expectTypeOf<() => void>().not.toExtend<Connection>();
    expectTypeOf<{ host: number }>().not.toExtend<Connection>();
    expectTypeOf<{ db: string }>().not.toExtend<Connection>();
  });
});
