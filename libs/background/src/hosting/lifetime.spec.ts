import { describe, expect, it } from 'vitest';
import { StoppingError } from '../errors.js';
import { ApplicationLifetime } from './lifetime.js';

describe('ApplicationLifetime', () => {
  it('nothing is signalled at first', () => {
    const { started, stopping, stopped, stopReason } = new ApplicationLifetime();
    expect([started.aborted, stopping.aborted, stopped.aborted, stopReason]).toEqual([
      false,
      false,
      false,
      undefined,
    ]);
  });

  it('S18 only the first call counts when stopApplication is called again', () => {
    const lifetime = new ApplicationLifetime();
    const reasons: unknown[] = [];
    lifetime.stopping.addEventListener('abort', () => reasons.push(lifetime.stopReason));
    lifetime.stopApplication('first');
    lifetime.stopApplication('second');
    expect(reasons).toEqual(['first']);
    expect(lifetime.stopReason).toBe('first');
  });

  it('S18 listeners have run when stopApplication returns', () => {
    const lifetime = new ApplicationLifetime();
    const calls: string[] = [];
    lifetime.stopping.addEventListener('abort', () => calls.push('listener'));
    lifetime.stopApplication();
    calls.push('returned');
    expect(calls).toEqual(['listener', 'returned']);
  });

  it('the signal says that the application is stopping, as an AbortError, whatever the reason given', () => {
    const lifetime = new ApplicationLifetime();
    lifetime.stopApplication(new Error('a fault'));
    expect(lifetime.stopping.reason).toBeInstanceOf(StoppingError);
    expect(lifetime.stopping.reason).toMatchObject({
      name: 'AbortError',
      code: 'STOPPING',
      message: 'The application is stopping.',
    });
  });

  it('started and stopped are signalled apart', () => {
    const lifetime = new ApplicationLifetime();
    lifetime.notifyStarted();
    expect([lifetime.started.aborted, lifetime.stopped.aborted]).toEqual([true, false]);
    lifetime.notifyStopped();
    expect(lifetime.stopped.aborted).toBe(true);
  });
});
