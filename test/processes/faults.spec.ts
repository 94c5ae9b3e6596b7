import { expect, it } from 'vitest';
import { Child, onEachNest } from './child.js';
import { get, post } from './requests.js';

const failure = { code: 1, signal: null };
const bySignal = { code: null, signal: 'SIGTERM' };

onEachNest('a fault on Nest $major', (nest) => {
  it('closes the application and ends the process with code 1 under runUntilStopped()', async () => {
    await using child = new Child(nest, 'fault');
    await post(`${await child.url()}/fail`);
    expect(await child.end).toEqual(failure);
    expect(child.output).toMatch(
      /Service 'Oven' faulted, and the application is being stopped: the oven is cold/,
    );
    expect(child.output).toMatch(/Stopped in \d+ ms/);
    // Once in the log, and once as what runUntilStopped() rejected with.
    expect(child.lines.filter((line) => line === 'Error: the oven is cold')).toHaveLength(2);
  });

  it('closes the application and ends the process by a signal with shutdown hooks', async () => {
    await using child = new Child(nest, 'fault', '--hooks');
    await post(`${await child.url()}/fail`);
    expect(await child.end).toEqual(bySignal);
    expect(child.output).toMatch(/the application is being stopped: the oven is cold/);
    expect(child.output).toMatch(/Stopped in \d+ ms/);
  });

  it('stops the services and says what mends it when nothing can close the application', async () => {
    await using child = new Child(nest, 'fault', '--neither');
    const url = await child.url();
    await post(`${url}/fail`);
    expect(await child.line('nothing here can close the application')).toContain(
      'await runUntilStopped(app)',
    );
    await child.line(/Stopped in \d+ ms/);
    expect(await get(url)).toBe(200);
  });

  it.each([
    { platform: 'Express', options: ['--ignore'] },
    { platform: 'Fastify', options: ['--ignore', '--fastify'] },
  ])('leaves the application serving when it is to be ignored, on $platform', async ({ options }) => {
    await using child = new Child(nest, 'fault', ...options);
    const url = await child.url();
    await post(`${url}/fail`);
    await child.line(/Service 'Oven' faulted, and the others go on: the oven is cold/);
    expect(await get(url)).toBe(200);
    child.kill('SIGTERM');
    expect(await child.end).toEqual({ code: 0, signal: null });
  });

  it.each([
    { how: 'runUntilStopped()', options: [], end: failure },
    { how: 'shutdown hooks', options: ['--hooks'], end: bySignal },
    { how: 'runUntilStopped() called late', options: ['--late'], end: failure },
    { how: 'shutdown hooks enabled late', options: ['--hooks', '--late'], end: bySignal },
  ])(
    'ends the process, with no false alarm, when it comes as soon as the host has started, with $how',
    async ({ options, end }) => {
      await using child = new Child(nest, 'fault-at-once', ...options);
      expect(await child.end).toEqual(end);
      expect(child.output).toMatch(/the application is being stopped: the oven is cold/);
      expect(child.output).not.toContain('nothing here can close the application');
    },
  );

  it('is followed by restarts, and ends the process with code 1 when they are used up', async () => {
    await using child = new Child(nest, 'restart');
    expect(await child.end).toEqual(failure);
    const tries = child.lines.filter((line) => line.startsWith('try '));
    expect(tries).toEqual(['try 1', 'try 2', 'try 3']);
    expect(child.output).toMatch(/Service 'Oven' faulted; restart 2 in 30 ms: cold at try 2/);
    expect(child.output).toMatch(/Service 'Oven' is given up after 2 restarts/);
    expect(child.lines).toContain('Error: cold at try 3');
  });

  it('of a tick ends the process with code 1 when it is to stop the host', async () => {
    await using child = new Child(nest, 'tick-fault');
    expect(await child.end).toEqual(failure);
    expect(child.output).toMatch(/A tick of 'Inventory' failed: the shelf is empty/);
    expect(child.lines).toContain('Error: the shelf is empty');
  });
});

onEachNest('a start that fails on Nest $major', (nest) => {
  it.each([
    { how: 'runUntilStopped()', options: [] },
    { how: 'shutdown hooks', options: ['--hooks'] },
  ])(
    'stops in reverse what had started, and ends the process with code 1, with $how',
    async ({ options }) => {
      await using child = new Child(nest, 'failing-start', ...options);
      expect(await child.end).toEqual(failure);
      const machines = child.lines.filter((line) => /^(Mixer|Oven|Fryer) /.test(line));
      expect(machines).toEqual(['Mixer started', 'Oven started', 'Oven stopped', 'Mixer stopped']);
      expect(child.output).toMatch(/Start failed: no oil/);
      expect(child.lines).toContain('Error: no oil');
      expect(child.output).not.toContain('listening');
    },
  );

  it('tells all that is wrong with the options, with a code, and ends the process with code 1', async () => {
    await using child = new Child(nest, 'bad-options');
    expect(await child.end).toEqual(failure);
    expect(child.output).toContain("code: 'INVALID_OPTIONS'");
    expect(child.output).toMatch(/shutdownTimout.*shutdownTimeout/);
    expect(child.output).toMatch(/queue\.capacity/);
  });
});
