import { describe, expect, it } from 'vitest';
import { failing, setup } from './host.fixture.js';
import { collectUncaught } from './uncaught.fixture.js';

describe('Listeners of the lifetime', () => {
  it('H27 do not fail the start, nor keep the others from being called, when one of started throws', async () => {
    const uncaught = collectUncaught();
    const { add, host, calls, clock, lifetime } = setup();
    add('a');
    lifetime.started.addEventListener('abort', failing('listener'));
    lifetime.started.addEventListener('abort', () => calls.push('the other listener'));
    await host.start();
    await clock.advance(0);
    expect(calls.slice(3)).toEqual(['the other listener', 'a.begin']);
    expect(uncaught).toEqual([new Error('listener')]);
  });

  it.each(['stopping', 'stopped'] as const)(
    'S19 do not disturb the stop, nor each other, when one of %s throws',
    async (point) => {
      const uncaught = collectUncaught();
      const { add, host, calls, clock, lifetime, started } = setup();
      add('a');
      lifetime[point].addEventListener('abort', failing('listener'));
      lifetime[point].addEventListener('abort', () => calls.push('the other listener'));
      await started();
      await host.stop();
      await clock.advance(0);
      const others = ['a.stopping', 'a.stop', 'a.stopped'];
      expect(calls).toEqual(others.toSpliced(point === 'stopping' ? 1 : 3, 0, 'the other listener'));
      expect(uncaught).toEqual([new Error('listener')]);
    },
  );

  it.each(['host.started', 'host.stopping', 'host.stopped'] as const)(
    'H27 S19 an error is an event of its own, and harms nothing, when a listener of %s throws',
    async (type) => {
      const { add, host, events, ofType, lifetime } = setup();
      add('a');
      const called: string[] = [];
      events.on(type, failing('listener'));
      events.on(type, () => called.push(type));
      await host.start();
      await host.stop();
      expect(called).toEqual([type]);
      expect(ofType('listener.failed')).toMatchObject([{ during: type, error: new Error('listener') }]);
      expect(lifetime.stopped.aborted).toBe(true);
    },
  );

  it('S21 are called in the order in which they were added, and not at all when added too late', async () => {
    const { host, lifetime } = setup();
    const calls: string[] = [];
    lifetime.started.addEventListener('abort', () => calls.push('first'));
    lifetime.started.addEventListener('abort', () => calls.push('second'));
    await host.start();
    lifetime.started.addEventListener('abort', () => calls.push('too late'));
    await host.stop();
    expect(calls).toEqual(['first', 'second']);
    expect(lifetime.started.aborted).toBe(true);
  });

  it('S20 of one point have all been called when those of the next are', async () => {
    const { add, host, lifetime } = setup();
    const calls: string[] = [];
    for (const point of ['stopped', 'stopping', 'started'] as const)
      for (const listener of ['one', 'two'])
        lifetime[point].addEventListener('abort', () => calls.push(`${point} ${listener}`));
    add('a');
    await host.start();
    await host.stop();
    calls.push('stop has ended');
    expect(calls).toEqual([
      'started one',
      'started two',
      'stopping one',
      'stopping two',
      'stopped one',
      'stopped two',
      'stop has ended',
    ]);
  });
});
