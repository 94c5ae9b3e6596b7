import { Global, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BackgroundModule, BackgroundService, HostedService, TaskQueue } from 'nestjs-nightshift';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Gate } from './gate.js';

describe('nestjs/bull#760: workers start when the application is ready', () => {
  it('runs nothing until every onApplicationBootstrap() has ended, wherever it is', async () => {
    const order: string[] = [];
    const gate = new Gate();

    @Injectable()
    class Cache implements OnApplicationBootstrap {
      constructor(private readonly queue: TaskQueue) {}

      async onApplicationBootstrap(): Promise<void> {
        await this.queue.enqueue(() => void order.push('task'));
        await gate.opened;
        order.push('cache ready');
      }
    }

    @BackgroundService()
    class Worker implements BackgroundService {
      execute(): void {
        order.push('worker');
      }
    }

    @HostedService()
    class Consumer implements HostedService {
      start(): void {
        order.push('consumer');
      }

      stop(): void {}
    }

    @BackgroundService({ every: '1m', runOnStart: true })
    class Poller implements BackgroundService {
      execute(): void {
        order.push('tick');
      }
    }

    @Global()
    @Module({ providers: [Cache, Worker] })
    class CacheModule {}

    @Module({ imports: [CacheModule], providers: [Consumer, Poller] })
    class FeatureModule implements OnApplicationBootstrap {
      onApplicationBootstrap(): void {
        order.push('feature ready');
      }
    }
    const clock = new ManualClock();
    const app = await Test.createTestingModule({
      imports: [FeatureModule, BackgroundModule.forRoot({ clock })],
    }).compile();
    onTestFinished(() => app.close());

    const starting = app.init();
    await clock.advance('10m');
    expect(order.filter((entry) => !entry.endsWith(' ready'))).toEqual([]);
    gate.open();
    await starting;
    await clock.advance(0);
    expect(order.slice(0, 3).toSorted()).toEqual(['cache ready', 'consumer', 'feature ready']);
    expect(order[2]).toBe('consumer');
    expect(order.slice(3).toSorted()).toEqual(['task', 'tick', 'worker']);
  });
});
