import { ServiceScopeFactory, type ServiceScope } from './scope.js';

/** For what opens no scope in a test: opening one fails. */
export class NoScopes extends ServiceScopeFactory {
  createScope(): ServiceScope {
    throw new Error('nothing here opens a scope');
  }
}
