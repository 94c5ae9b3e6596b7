import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from './background-events.js';
import type { BackgroundEvent } from './events.js';

function setup() {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const heard: string[] = [];
  const start = () => events.emit('host.starting', { services: 1 });
  return { clock, events, heard, start };
}

function failing() {
  throw new Error('listener');
}

describe('BackgroundEvents', () => {
  it('delivers an event with its type, its time and its details to listeners of its type', () => {
    const { events, clock, start } = setup();
    const seen: BackgroundEvent[] = [];
    events.on('host.starting', (event) => seen.push(event));
    events.on('host.stopped', (event) => seen.push(event));
    start();
    expect(seen).toEqual([{ type: 'host.starting', at: new Date(clock.now()), services: 1 }]);
  });

  it('delivers synchronously, in the order in which listeners were added, those of the type before the stream', () => {
    const { events, heard, start } = setup();
    events.stream.subscribe(() => heard.push('stream'));
    events.on('host.starting', () => heard.push('first'));
    events.on('host.starting', () => heard.push('second'));
    start();
    expect(heard).toEqual(['first', 'second', 'stream']);
  });

  it('wants only what somebody listens to', () => {
    const { events } = setup();
    const wants = () => [events.wants('tick.started'), events.wants('tick.failed')];
    expect(wants()).toEqual([false, false]);
    const end = events.on('tick.started', () => {});
    expect(wants()).toEqual([true, false]);
    end();
    const subscription = events.stream.subscribe();
    expect(wants()).toEqual([true, true]);
    subscription.unsubscribe();
    expect(wants()).toEqual([false, false]);
  });

  it('makes no event when nobody listens', () => {
    const clock = { ...new ManualClock(), now: failing as () => never };
    // A copy of an instance lacks what is private in the class; only `now` is ever called.
    const events = new BackgroundEvents(clock as unknown as ManualClock);
    expect(() => events.emit('host.starting', { services: 1 })).not.toThrow();
  });

  it('ends one listener, once, though the same function was added twice', () => {
    const { events, heard, start } = setup();
    const listener = () => void heard.push('heard');
    const end = events.on('host.starting', listener);
    events.on('host.starting', listener);
    end();
    end();
    start();
    expect(heard).toEqual(['heard']);
  });

  it('goes on to the others when a listener ends itself or adds one', () => {
    const { events, heard, start } = setup();
    const end = events.on('host.starting', () => {
      end();
      events.on('host.starting', () => heard.push('added'));
    });
    events.on('host.starting', () => heard.push('other'));
    start();
    expect(heard).toEqual(['other']);
    start();
    expect(heard).toEqual(['other', 'other', 'added']);
  });

  it('reports a listener that throws, and goes on to the others', () => {
    const { events, heard, start } = setup();
    const failures: unknown[] = [];
    events.on('listener.failed', ({ during, error }) => failures.push([during, error]));
    events.on('host.starting', failing);
    events.on('host.starting', () => heard.push('other'));
    start();
    expect(heard).toEqual(['other']);
    expect(failures).toEqual([['host.starting', new Error('listener')]]);
  });

  it('does not report a failure to report a failure', () => {
    const { events, heard, start } = setup();
    events.on('listener.failed', failing);
    events.on('listener.failed', () => heard.push('reported'));
    events.on('host.starting', failing);
    start();
    expect(heard).toEqual(['reported']);
  });
});
