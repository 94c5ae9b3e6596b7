import { Test } from '@nestjs/testing';
import { BackgroundHost, TaskQueue } from 'nestjs-nightshift';
import { expect, it, vi } from 'vitest';
import { AppModule } from './readme-example.js';

it('the example of the README does what its comments say', async () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0);

  const reply = await fetch(`${await app.getUrl()}/photos`, { method: 'POST' });
  expect(reply.status).toBe(202);
  expect(await reply.json()).toEqual({ id: expect.any(String) });
  await app.get(TaskQueue).whenIdle();
  const tick = await app.get(BackgroundHost).service('OrderCleanup').trigger();
  await app.close();

  expect(tick.outcome).toBe('completed');
  const lines = printed.mock.calls.map(([line]) => String(line));
  expect(lines).toContain('resizing, after the reply');
  expect(lines.slice(-2)).toEqual(['expired orders removed', 'connection back in the pool']);
  printed.mockRestore();
});
