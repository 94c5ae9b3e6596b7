import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { StoppingError } from '../errors.js';
import { isInsideBackgroundWork } from '../scopes/background-context.js';
import { setup, untilAborted } from './long-running-service.fixture.js';
import { LongRunningService } from './long-running-service.js';

const never = () => new Promise<void>(() => {});

/** A service that was still running at the deadline of the stop. */
async function setupLeftBehind() {
  const { host, add, clock, ofType } = setup();
  let fail!: (error: Error) => void;
  const service = add(() => new Promise((_, reject) => (fail = reject)));
  await host.start();
  await clock.advance(0);
  const stop = host.stop();
  await clock.advance('30s');
  await stop;
  return { service, fail, clock, ofType };
}

describe('LongRunningService', () => {
  it('B2 B3 H1 no part of execute runs before every service has started and start has returned', async () => {
    const { host, add, lifetime, clock } = setup();
    const begun: boolean[] = [];
    add(() => void begun.push(lifetime.started.aborted));
    const start = host.start().then(() => begun.push(false));
    await start;
    await clock.advance(0);
    expect(begun).toContain(true);
    expect(begun).toHaveLength(2);
  });

  it.each([
    () => {
      throw new Error('no');
    },
    () => Promise.reject(new Error('no')),
  ])(
    'B4 B28 the start succeeds and the stop rejects when execute throws, at once or later',
    async (execute) => {
      const { host, add, clock } = setup();
      add(execute);
      await host.start();
      await clock.advance(0);
      await expect(host.stop()).rejects.toEqual(new Error('no'));
    },
  );

  it('B9 execute is called once, with an aborted token, when the stop follows the start at once', async () => {
    const tokens: boolean[] = [];
    const execute = (token: AbortSignal) => void tokens.push(token.aborted);
    const runner = new LongRunningService({ execute }, { name: 'worker', clock: new ManualClock() });
    runner.start();
    runner.begin();
    expect(runner.inFlight()).toEqual(['execute()']);
    await runner.stop(new AbortController().signal);
    expect(tokens).toEqual([true]);
    expect(runner.inFlight()).toEqual([]);
  });

  it('B10 stop without start does nothing', async () => {
    const { add, seen } = setup();
    const service = add(never);
    await service.stop();
    expect(service.state).toBe('idle');
    expect(seen).toEqual([]);
  });

  it('B11 stop aborts the token with a StoppingError and waits for execute', async () => {
    const { host, add, clock } = setup();
    const order: unknown[] = [];
    add(async (token) => {
      await untilAborted(token);
      order.push(token.reason);
    });
    await host.start();
    await clock.advance(0);
    await host.stop();
    expect(order).toEqual([expect.any(StoppingError)]);
    expect(order).toMatchObject([{ message: "Service 'worker' is stopping." }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('B11 B12 S15 stop resolves, and names execute, when execute never ends', async () => {
    const { host, add, clock, ofType } = setup();
    let end!: () => void;
    const service = add(() => new Promise((resolve) => (end = resolve)));
    await host.start();
    await clock.advance(0);
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    expect(ofType('service.abandoned')).toMatchObject([{ service: 'worker', running: ['execute()'] }]);
    expect(service.state).toBe('abandoned');
    end();
    await clock.advance(0);
    expect(service.state).toBe('stopped');
    expect(ofType('service.completed')).toEqual([]);
  });

  it('B23 an abort is no fault when execute throws it after it was left behind', async () => {
    const { service, fail, clock, ofType } = await setupLeftBehind();
    fail(new DOMException('aborted', 'AbortError'));
    await clock.advance(0);
    expect(service.state).toBe('stopped');
    expect(ofType('service.faulted')).toEqual([]);
  });

  it('a fault is an event when execute throws after it was left behind', async () => {
    const { service, fail, clock, ofType } = await setupLeftBehind();
    fail(new Error('at last'));
    await clock.advance(0);
    expect(ofType('service.faulted')).toMatchObject([{ error: new Error('at last') }]);
    expect(service.state).toBe('stopped');
  });

  it('B16 execute runs once when a running service is started again', async () => {
    const { host, add, clock } = setup();
    const tokens: AbortSignal[] = [];
    const service = add((token) => {
      tokens.push(token);
      return untilAborted(token);
    });
    await host.start();
    await service.start();
    await clock.advance(0);
    expect(tokens).toHaveLength(1);
    await host.stop();
  });

  it('execute runs again, with a token of its own, when a stopped service is started again', async () => {
    const { host, add, clock } = setup();
    const aborted: boolean[] = [];
    const service = add((token) => {
      aborted.push(token.aborted);
      return untilAborted(token);
    });
    await host.start();
    await clock.advance(0);
    await service.stop();
    await service.start();
    await clock.advance(0);
    expect(aborted).toEqual([false, false]);
    expect(service).toMatchObject({ state: 'running', kind: 'longRunning' });
    await host.stop();
  });

  it('B18 nothing else stops when execute returns', async () => {
    const { host, add, clock, lifetime, ofType } = setup();
    const service = add(async () => {});
    await host.start();
    await clock.advance(0);
    expect(service.state).toBe('completed');
    expect(ofType('service.completed')).toHaveLength(1);
    expect(lifetime.stopping.aborted).toBe(false);
    await host.stop();
    expect(ofType('service.stopping')).toEqual([]);
  });

  it('B32 hooks of the class run, those of the stop also when execute has returned before', async () => {
    const calls: string[] = [];
    const note = (call: string) => () => void calls.push(call);
    const { host, add, clock } = setup();
    add(
      note('execute'),
      {},
      {
        starting: note('starting'),
        started: note('started'),
        stopping: note('stopping'),
        stopped: note('stopped'),
      },
    );
    await host.start();
    await clock.advance(0);
    await host.stop();
    expect(calls).toEqual(['starting', 'started', 'execute', 'stopping', 'stopped']);
  });

  it('execute is inside background work, and inside the wrap', async () => {
    const { host, add, clock } = setup();
    const inside: unknown[] = [];
    const wrap = async <R>(context: unknown, run: () => Promise<R>) => {
      inside.push(context);
      return run();
    };
    add(() => void inside.push(isInsideBackgroundWork()), { wrap });
    await host.start();
    await clock.advance(0);
    expect(inside).toEqual([undefined, true]);
    await host.stop();
  });
});
