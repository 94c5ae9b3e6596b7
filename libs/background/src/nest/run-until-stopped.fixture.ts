import { Logger, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { onTestFinished, vi } from 'vitest';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { BackgroundModule } from './background.module.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { BackgroundService } from './decorators.js';

/** An application to run, in a process that only notes that it would exit, and that would log errors. */
export async function setupRun(options: BackgroundModuleOptions, providers: Provider[]) {
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  const errors = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
  const { exitCode } = process;
  onTestFinished(() => {
    exit.mockRestore();
    errors.mockRestore();
    process.exitCode = exitCode;
  });
  const clock = new ManualClock();
  const imports = [BackgroundModule.forRoot({ clock, ...options })];
  const app = await Test.createTestingModule({ imports, providers }).compile();
  onTestFinished(() => app.close());
  return { app, clock, exit, errors, lifetime: app.get(ApplicationLifetime) };
}

/** A long-running service of each function, named `service 0`, `service 1`, .... */
export function servicesOf(...executes: ((stoppingToken: AbortSignal) => unknown)[]) {
  return executes.map((execute, index) => {
    @BackgroundService({ name: `service ${index}` })
    class Service {
      execute = execute;
    }
    return Service;
  });
}
