import { expect, it } from 'vitest';
import { Child, onEachNest } from './child.js';
import { post } from './requests.js';

const byItself = { code: 0, signal: null };
const bySignal = { code: null, signal: 'SIGTERM' };
const variants = [
  { how: 'runUntilStopped()', options: [], end: byItself },
  { how: 'shutdown hooks', options: ['--hooks'], end: bySignal },
];

onEachNest('stopApplication() on Nest $major', (nest) => {
  it.each(variants)('closes the application when a tick calls it, with $how', async ({ options, end }) => {
    await using child = new Child(nest, 'stop-application', '--from-tick', ...options);
    expect(await child.end).toEqual(end);
    expect(child.output).toContain('Stopping because: closing time');
    expect(child.lines.filter((line) => line.startsWith('lights'))).toEqual(['lights on', 'lights off']);
  });

  it.each(variants)('closes the application when a request calls it, with $how', async ({ options, end }) => {
    await using child = new Child(nest, 'stop-application', ...options);
    expect(await post(`${await child.url()}/stop`)).toBe(201);
    expect(await child.end).toEqual(end);
    expect(child.output).toContain('Stopping because: the boss said so');
    expect(child.lines.filter((line) => line.startsWith('lights'))).toEqual(['lights on', 'lights off']);
  });

  it.each(variants)(
    'starts nothing more, and stops what had started, when a start hook calls it, with $how',
    async ({ options, end }) => {
      await using child = new Child(nest, 'stop-application', '--from-start', ...options);
      expect(await child.end).toEqual(end);
      expect(child.output).toContain('Stopping because: the key is lost');
      expect(child.lines).toContain('door shut');
      expect(child.lines).not.toContain('lights on');
      expect(child.output).not.toContain('nothing here can close the application');
    },
  );
});

onEachNest('close() on Nest $major', (nest) => {
  it.each([
    { when: 'it is called twice', options: [], end: byItself },
    { when: 'it is called twice and SIGTERM comes', options: ['--hooks'], end: bySignal },
    { when: 'runUntilStopped() waits for the end', options: ['--run'], end: byItself },
  ])('stops each service once when $when', async ({ options, end }) => {
    await using child = new Child(nest, 'closed-twice', ...options);
    expect(await child.end).toEqual(end);
    expect(child.lines.filter((line) => line === 'oven off')).toHaveLength(1);
    expect(child.lines.filter((line) => line === 'task done')).toHaveLength(1);
    expect(child.lines.filter((line) => /Stopped in \d+ ms/.test(line))).toHaveLength(1);
  });

  it('tears other modules down once too when runUntilStopped() waits for the end', async () => {
    await using child = new Child(nest, 'closed-twice', '--run');
    expect(await child.end).toEqual(byItself);
    expect(child.lines.filter((line) => line === 'printer off')).toHaveLength(1);
    expect(child.lines).toContain('closed');
  });
});
