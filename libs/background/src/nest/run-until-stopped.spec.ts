import { describe, expect, it, vi } from 'vitest';
import { errorOf } from '../error-of.fixture.js';
import { TaskQueue } from '../tasks/task-queue.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { servicesOf, setupRun } from './run-until-stopped.fixture.js';
import { runUntilStopped } from './run-until-stopped.js';

const setup = (options: BackgroundModuleOptions = {}, ...executes: (() => unknown)[]) =>
  setupRun(options, servicesOf(...executes));

/** As if the process got this signal. */
const send = (signal: NodeJS.Signals): boolean => process.emit(signal, signal);

describe('runUntilStopped', () => {
  it('initialises the application, and closes it when that is asked for', async () => {
    const { app, clock, exit, lifetime } = await setup();
    const run = runUntilStopped(app);
    await clock.advance(0);
    expect(lifetime.started.aborted).toBe(true);
    const handle = await app.get(TaskQueue).enqueue(() => 'drained');
    lifetime.stopApplication('done');
    await expect(run).resolves.toBeUndefined();
    expect(await handle.result()).toBe('drained');
    expect(lifetime.stopped.aborted).toBe(true);
    expect([process.exitCode, exit.mock.calls]).toEqual([undefined, []]);
  });

  it('stops at the first stop signal, and listens to no more signals afterwards', async () => {
    const { app, clock, lifetime } = await setup();
    const before = process.listenerCount('SIGQUIT');
    const run = runUntilStopped(app);
    await clock.advance(0);
    expect(process.listenerCount('SIGQUIT')).toBe(before + 1);
    send('SIGQUIT');
    await run;
    expect(lifetime.stopReason).toBe('SIGQUIT');
    expect(process.listenerCount('SIGQUIT')).toBe(before);
  });

  it("ends the process with the signal's code, saying what that cuts off, at the second one", async () => {
    const gates: (() => void)[] = [];
    const hold = () => new Promise<void>((resolve) => gates.push(resolve));
    const { app, clock, exit, errors } = await setup({}, hold);
    const run = runUntilStopped(app);
    await clock.advance(0);
    send('SIGQUIT');
    await clock.advance(0);
    expect(exit).not.toHaveBeenCalled();
    send('SIGQUIT');
    expect(exit.mock.calls).toEqual([[131]]);
    expect(errors.mock.lastCall![0]).toContain('Cut off: service 0');
    gates[0]!();
    await run;
  });

  it('says that it cuts off nothing when no service is stopping at the second signal', async () => {
    const { app, clock, exit, errors } = await setup();
    const run = runUntilStopped(app);
    await clock.advance(0);
    send('SIGQUIT');
    send('SIGQUIT');
    expect(exit).toHaveBeenCalledOnce();
    expect(errors.mock.lastCall![0]).toContain('nothing of ours');
    await run;
  });

  it('rejects with the fault that stopped it, and sets the exit code', async () => {
    const error = new Error('broken');
    const { app } = await setup({}, () => Promise.reject(error));
    expect(await errorOf(runUntilStopped(app))).toBe(error);
    expect(process.exitCode).toBe(1);
  });

  it('rejects with an AggregateError when several services faulted', async () => {
    const errors = [new Error('one'), new Error('two')];
    const { app } = await setup(
      {},
      () => Promise.reject(errors[0]),
      () => Promise.reject(errors[1]),
    );
    expect(await errorOf(runUntilStopped(app))).toMatchObject({ errors });
  });

  it('ends the process when work is still running at the deadline', async () => {
    const { app, clock, exit, lifetime } = await setup(
      { shutdownTimeout: '5s' },
      () => new Promise(() => {}),
    );
    const run = runUntilStopped(app);
    await clock.advance(0);
    lifetime.stopApplication();
    await clock.advance('5s');
    await run;
    expect(exit.mock.calls).toEqual([[]]);
  });

  it('waits for the stop, and does not close a second time, when somebody else closes the application', async () => {
    const { app, clock, lifetime } = await setup();
    const run = runUntilStopped(app);
    await clock.advance(0);
    const close = vi.spyOn(app, 'close');
    await app.close();
    await run;
    expect([close.mock.calls.length, lifetime.stopped.aborted]).toEqual([1, true]);
  });

  it('stops services and queues even so, and rejects, when the closing fails', async () => {
    const { app, clock, lifetime } = await setup();
    const run = runUntilStopped(app);
    await clock.advance(0);
    vi.spyOn(app, 'close').mockRejectedValueOnce(new Error('a hook threw'));
    const handle = await app.get(TaskQueue).enqueue(() => 'drained');
    lifetime.stopApplication();
    await expect(run).rejects.toThrow('a hook threw');
    expect([lifetime.stopped.aborted, await handle.result()]).toEqual([true, 'drained']);
  });

  it('rejects, and listens to no more signals, when the start fails', async () => {
    const before = process.listenerCount('SIGQUIT');
    const { app } = await setup();
    vi.spyOn(app, 'init').mockRejectedValueOnce(new Error('no port'));
    await expect(runUntilStopped(app)).rejects.toThrow('no port');
    expect(process.listenerCount('SIGQUIT')).toBe(before);
  });
});
