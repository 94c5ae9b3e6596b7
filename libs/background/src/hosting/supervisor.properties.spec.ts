import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLong, runs } from '../../../../test/long-runs.js';
import {
  commands,
  ServiceModel,
  ServiceSession,
  type Command,
  type SessionOptions,
} from './service-session.fixture.js';
import { serviceTransitions } from './service-state.js';

const long = isLong ? 600_000 : undefined;
/** What leads from one state to another comes more often than what ends everything or is mostly refused. */
const often: readonly Command[] = ['start', 'stop', 'trigger', 'fail', 'elapse a minute'];
const command = fc.constantFrom(...commands, ...often, ...often);
const orders = fc.array(command, { minLength: 1, maxLength: 30, size: 'max' });

const sessions = (kind: SessionOptions['kind']) =>
  fc.record<SessionOptions>({
    kind: fc.constant(kind),
    heeds: fc.boolean(),
    maxRestarts: fc.integer({ min: 0, max: 2 }),
    stopsOnError: fc.boolean(),
  });

describe('whatever is asked of a service, and whatever its work does', () => {
  it.each(['longRunning', 'ticked'] as const)(
    'its state, its events and what it refuses are those of the table when it is %s',
    async (kind) => {
      const reached = new Set<string>();
      const property = fc.asyncProperty(sessions(kind), orders, async (options, order) => {
        const session = new ServiceSession(options);
        const { host, clock } = session.bundle;
        await host.start();
        await session.settle();
        session.seen.length = 0;
        const model = new ServiceModel(options);
        let before = model.state;
        for (const [index, command] of order.entries()) {
          // A start that is asked for during a stop waits for it: what it does then is another test's.
          if (command === 'start' && before === 'stopping') continue;
          // A few seconds do not count towards the deadline here: only a minute is past it.
          if (command === 'elapse a second' && before === 'stopping') continue;
          const { state, events = [], refused } = model.next(command);
          const code = await session.do(command);
          const types = session.seen.splice(0).map(({ type }) => type);
          const at = `${command}, the ${index + 1}. command, from ${before}`;
          const got = { state: session.service.state, events: types, refused: code };
          expect({ at, ...got }).toEqual({ at, state, events, refused });
          reached.add(state);
          before = state;
        }
        await session.do('finish');
        const stop = host.stop();
        for (; session.isWorking;) await session.do('finish');
        await clock.advance('1m');
        await stop;
        await Promise.all(session.triggered);
        expect(clock.pendingTimers).toBe(0);
        expect(['stopped', 'completed', 'faulted']).toContain(session.service.state);
      });
      await fc.assert(property, { numRuns: runs(50) });
      await fc.assert(property, { numRuns: 100, seed: 1 }); // with these orders, every state is reached
      const own = kind === 'ticked' ? ['paused'] : ['restarting', 'completed'];
      const common = ['running', 'stopping', 'stopped', 'abandoned', 'faulted'];
      expect(Object.keys(serviceTransitions)).toEqual(expect.arrayContaining([...reached]));
      expect([...reached].toSorted()).toEqual([...common, ...own].toSorted());
    },
    long,
  );
});
