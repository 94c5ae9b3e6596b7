import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { TaskQueue } from '../tasks/task-queue.js';
import { BackgroundService, getTaskQueueToken, HostedService } from './decorators.js';

describe('@BackgroundService()', () => {
  it.each([
    ['an option that does not exist', { evry: '1s' }, 'evry'],
    ['a period that is none', { every: 'often' }, 'every'],
    ['tick options without a schedule', { overlap: 'skip' }, 'overlap'],
    ['a restart policy for ticks', { every: '1s', restart: {} }, 'restart'],
  ])('throws while the class is being defined when it has %s', (_, options, key) => {
    const define = () => {
      @BackgroundService(options as never)
      class Reports {
        execute(): void {}
      }
      return Reports;
    };
    expect(define).toThrow(InvalidOptionsError);
    expect(define).toThrow(`@BackgroundService() Reports.${key}`);
  });
});

describe('@HostedService()', () => {
  it('throws while the class is being defined, naming all problems, when its options are wrong', () => {
    const options = { name: '', enabled: 'no', every: '1s' } as never;
    const define = () => {
      @HostedService(options)
      class Server {
        start(): void {}
        stop(): void {}
      }
      return Server;
    };
    expect(define).toThrow(InvalidOptionsError);
    for (const key of ['name', 'enabled', 'every']) expect(define).toThrow(`@HostedService() Server.${key}`);
  });
});

describe('getTaskQueueToken', () => {
  it('is the class for the default queue, and a text that names every other', () => {
    expect([getTaskQueueToken(), getTaskQueueToken('default')]).toEqual([TaskQueue, TaskQueue]);
    expect(getTaskQueueToken('photos')).toContain('photos');
  });
});
