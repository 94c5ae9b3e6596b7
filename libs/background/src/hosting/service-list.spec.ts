import { describe, expect, it } from 'vitest';
import { errorOf } from '../error-of.fixture.js';
import { gate } from '../gate.fixture.js';
import { setupAdding } from './host.fixture.js';

describe('The name of a service whose addService failed', () => {
  const failing = { start: () => Promise.reject(new Error('no')) };

  it('is free for another one, which takes its place', async () => {
    const { host, calls } = setupAdding();
    await host.start();
    await expect(host.addService(failing, { name: 'late' })).rejects.toThrow('no');
    const second = await host.addService({}, { name: 'late' });
    expect(host.service('late')).toBe(second);
    expect(host.services).toEqual([second]);
    await host.stop();
    expect(calls).toEqual(['late.start', 'late.start', 'late.started', 'late.stopping', 'late.stop']);
  });

  it('is free again when the second attempt fails too', async () => {
    const { host } = setupAdding();
    await host.start();
    await expect(host.addService(failing, { name: 'late' })).rejects.toThrow('no');
    await expect(host.addService(failing, { name: 'late' })).rejects.toThrow('no');
    expect((await host.addService({}, { name: 'late' })).state).toBe('running');
  });

  it('is taken when the service runs after all, started by its handle', async () => {
    const { host, calls, monitors } = setupAdding();
    const failures = [new Error('no')];
    const start = () => {
      const failure = failures.pop();
      if (failure) throw failure;
    };
    await host.start();
    await expect(host.addService({ start }, { name: 'late' })).rejects.toThrow('no');
    await host.service('late').start();
    await expect(host.addService({}, { name: 'late' })).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
    monitors.at(-1)!.faulted(new Error('later'), 'ignore');
    expect(host.service('late').state).toBe('faulted'); // and the hooks of its stop are due
    await expect(host.addService({}, { name: 'late' })).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
    await host.stop();
    expect(calls.slice(-2)).toEqual(['late.stopping', 'late.stop']);
  });

  it('is taken from the moment when its handle is asked to start it', async () => {
    const { host } = setupAdding();
    await host.start();
    await expect(host.addService(failing, { name: 'late' })).rejects.toThrow('no');
    const again = errorOf(host.service('late').start());
    await expect(host.addService({}, { name: 'late' })).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
    expect(await again).toEqual(new Error('no'));
  });

  it('is taken while something of the service still runs, left behind at the deadline', async () => {
    const { host, clock } = setupAdding();
    const { opened, open } = gate();
    await host.start();
    const service = { started: failing.start, stop: () => opened };
    const failed = errorOf(host.addService(service, { name: 'late' }));
    await clock.advance('30s');
    expect(await failed).toEqual(new Error('no'));
    expect(host.service('late').state).toBe('abandoned');
    await expect(host.addService({}, { name: 'late' })).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
    open();
    await clock.advance(0);
    expect(host.service('late').state).toBe('stopped');
    expect((await host.addService({}, { name: 'late' })).state).toBe('running');
  });

  it('is not given back: the handle of the first cannot start it beside the second', async () => {
    const { host } = setupAdding();
    await host.start();
    await expect(host.addService(failing, { name: 'late' })).rejects.toThrow('no');
    const first = host.service('late');
    await host.addService({}, { name: 'late' });
    await expect(first.start()).rejects.toMatchObject({
      code: 'ILLEGAL_STATE',
      message: "Starting it is not possible while service 'late' is replaced.",
    });
  });
});
