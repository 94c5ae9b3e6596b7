import { expect, it } from 'vitest';
import { Child, onEachNest } from './child.js';

const variants = [
  { how: 'runUntilStopped()', options: [], end: { code: 0, signal: null } },
  { how: 'shutdown hooks', options: ['--hooks'], end: { code: null, signal: 'SIGTERM' } },
];

onEachNest('the deadline on Nest $major', (nest) => {
  it.each(variants)(
    'ends the process when a worker ignores its token, and names it, with $how',
    async ({ options, end }) => {
      await using child = new Child(nest, 'deaf-worker', ...options);
      await child.url();
      child.kill('SIGTERM');
      expect(await child.end).toEqual(end);
      expect(child.output).toMatch(/The time to stop \(shutdownTimeout, 200 ms\) is up/);
      expect(child.output).toMatch(/'DeafWorker' did not stop in time.* Still running: execute\(\)/);
    },
  );

  it.each(variants)(
    'ends the process when a task ignores its signal, and names it and what waits, with $how',
    async ({ options, end }) => {
      await using child = new Child(nest, 'deaf-task', ...options);
      await child.line('engraving');
      await child.url();
      child.kill('SIGTERM');
      expect(await child.end).toEqual(end);
      expect(child.output).toMatch(/The time to stop \(shutdownTimeout, 200 ms\) is up/);
      expect(child.output).toMatch(/Never began: 1: wrap \(.+\)\. Aborted: 1: engrave \(.+\)/);
    },
  );

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)(
    'is not waited for when $signal comes twice: the process ends at once and says what it cut off',
    async ({ signal, code }) => {
      await using child = new Child(nest, 'cut-off');
      await child.url();
      child.kill(signal);
      await child.line('Stopping because');
      child.kill(signal);
      expect(await child.end).toEqual({ code, signal: null });
      const report = await child.line(`${signal} again: ending at once. Cut off: `);
      for (const name of ['Inventory', 'Oven', 'engrave']) expect(report).toContain(name);
      expect(report).not.toContain('Clock');
    },
  );
});
