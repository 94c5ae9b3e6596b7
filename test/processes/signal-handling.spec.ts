import { expect, it } from 'vitest';
import { Child, onEachNest } from './child.js';

onEachNest('stop signals on Nest $major', (nest) => {
  it.each([
    { platform: 'Express', options: ['--neither'] },
    { platform: 'Fastify', options: ['--neither', '--fastify'] },
  ])(
    'are warned about, with the lines that mend it, when nothing handles them on $platform',
    async ({ options }) => {
      await using child = new Child(nest, 'idle', ...options);
      const warning = await child.line('Shutdown hooks are off');
      expect(warning).toContain('WARN');
      expect(warning).toContain('app.enableShutdownHooks()');
      expect(warning).toContain('await runUntilStopped(app)');
      child.kill('SIGTERM');
      expect(await child.end).toEqual({ code: null, signal: 'SIGTERM' });
      expect(child.output).not.toContain('Stopping');
    },
  );

  it.each([
    { how: 'runUntilStopped()', options: [], end: { code: 0, signal: null } },
    { how: 'shutdown hooks', options: ['--hooks'], end: { code: null, signal: 'SIGTERM' } },
  ])('are not warned about when they are handled, with $how', async ({ options, end }) => {
    await using child = new Child(nest, 'idle', ...options);
    await child.line('a while later');
    child.kill('SIGTERM');
    expect(await child.end).toEqual(end);
    expect(child.output).not.toContain('Shutdown hooks are off');
    expect(child.output).toMatch(/Stopped in \d+ ms/);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)(
    'end the process with code 0 under runUntilStopped() when it is %s',
    async (signal) => {
      await using child = new Child(nest, 'idle');
      await child.url();
      child.kill(signal);
      expect(await child.end).toEqual({ code: 0, signal: null });
      expect(child.output).toContain(`Stopping because: ${signal}`);
    },
  );
});

onEachNest('a process without a server on Nest $major', (nest) => {
  it.each([
    { how: 'runUntilStopped()', options: ['--run'], end: { code: 0, signal: null } },
    {
      how: 'keepAlive and shutdown hooks',
      options: ['--keep-alive', '--hooks'],
      end: { code: null, signal: 'SIGTERM' },
    },
  ])('lives until SIGTERM, and then finishes its work, with $how', async ({ options, end }) => {
    await using child = new Child(nest, 'standalone', ...options);
    await child.line('still on watch');
    expect(child.output).not.toContain('watch over');
    child.kill('SIGTERM');
    expect(await child.end).toEqual(end);
    expect(child.lines).toContain('watch over');
  });

  it('ends by itself when nothing keeps it alive', async () => {
    await using child = new Child(nest, 'standalone');
    expect(await child.end).toEqual({ code: 0, signal: null });
    expect(child.lines).toContain('on watch');
    expect(child.lines).not.toContain('still on watch');
  });
});
