import type { BackgroundServiceOptions } from '../scheduling/background-service.options.js';

/*
 * Registered symbols: two copies of this package in one application agree on them.
 */
export const backgroundServiceMetadata = Symbol.for('nestjs-nightshift:background-service');
export const hostedServiceMetadata = Symbol.for('nestjs-nightshift:hosted-service');
export const taskHandlerMetadata = Symbol.for('nestjs-nightshift:task-handler');
export const adoptedMethodMetadata = Symbol.for('nestjs-nightshift:adopted-method');

/** Options of `@HostedService()`. */
export interface HostedServiceOptions {
  /**
   * What to call it in logs, health and the API. Unique in the application.
   * @default the name of the class
   */
  name?: string | undefined;
  /**
   * Whether it runs at all. The host's `enabled` is asked too.
   * @default true
   */
  enabled?: boolean | undefined;
}

export function backgroundServiceOptionsOf(target: object): BackgroundServiceOptions | undefined {
  return Reflect.getMetadata(backgroundServiceMetadata, target) as BackgroundServiceOptions | undefined;
}

export function hostedServiceOptionsOf(target: object): HostedServiceOptions | undefined {
  return Reflect.getMetadata(hostedServiceMetadata, target) as HostedServiceOptions | undefined;
}
