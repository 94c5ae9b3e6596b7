import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { INestApplication, Type } from '@nestjs/common';
import { runUntilStopped } from 'nestjs-nightshift';

/** Whether the process was started with this option. */
export function asked(option: string): boolean {
  return process.argv.includes(option);
}

/**
 * Serves a scenario the way its process was asked to: on Express or `--fastify`; with `runUntilStopped()`, with
 * Nest's shutdown `--hooks`, or with `--neither`; and with `--late` only a while after it listens. Prints the address.
 */
export async function serve(module: Type): Promise<void> {
  const app = await create(module);
  const handleSignals = (): void => void (asked('--hooks') && app.enableShutdownHooks());
  if (!asked('--late')) handleSignals();
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  if (asked('--late')) await sleep(20).then(handleSignals);
  const run = asked('--hooks') || asked('--neither') ? undefined : runUntilStopped(app);
  console.log(`listening on ${url}`); // only now: whoever reads it may send a signal at once
  await run;
}

async function create(module: Type): Promise<INestApplication> {
  if (!asked('--fastify')) return NestFactory.create(module);
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return NestFactory.create(module, new FastifyAdapter());
}

/** Resolves when a signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
