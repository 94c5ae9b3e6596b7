import type { Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { BackgroundModule } from './background.module.js';

/** An application of these providers, closed when the test ends, and a scope of it. */
export async function setup(...providers: Provider[]) {
  const imports = [BackgroundModule.forRoot()];
  const app = await Test.createTestingModule({ imports, providers }).compile();
  onTestFinished(() => app.close());
  await app.init();
  const scopes = app.get(ServiceScopeFactory);
  return { scopes, scope: scopes.createScope() };
}
