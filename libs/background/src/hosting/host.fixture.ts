import { gate } from '../gate.fixture.js';
import { ManualClock } from 'nestjs-nightshift/testing';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent, BackgroundEventType } from '../events/events.js';
import { OptionsReader } from '../options-reader.js';
import type { HostedService, LifecycleHook } from './hosted-service.js';
import { BackgroundHost, type HostDependencies } from './host.js';
import { hostingKeys, readHostingOptions, type HostingOptions } from './hosting.options.js';
import { ApplicationLifetime } from './lifetime.js';
import type { ServiceMonitor, ServiceRunner } from './service-runner.js';

export const hooks: readonly LifecycleHook[] = [
  'starting',
  'start',
  'started',
  'stopping',
  'stop',
  'stopped',
];

function notUsed(): never {
  throw new Error('not used');
}

/** An empty host on a manual clock, and every event it gives. */
export function setupHost(overrides: HostingOptions = {}, compose: HostDependencies['compose'] = notUsed) {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const lifetime = new ApplicationLifetime();
  const seen: BackgroundEvent[] = [];
  events.stream.subscribe((event) => seen.push(event));
  const options = readHostingOptions(
    new OptionsReader<HostingOptions>('test', { clock, ...overrides }, hostingKeys),
  );
  const host = new BackgroundHost({ options, events, lifetime, compose });
  const types = () => seen.map(({ type }) => type);
  const ofType = (type: BackgroundEventType) => seen.filter((event) => event.type === type);
  return { clock, events, lifetime, options, host, seen, types, ofType };
}

/** A host with `add` for services whose hooks are noted in `calls`. */
export function setup(overrides: HostingOptions = {}) {
  const bundle = setupHost(overrides);
  const { host, seen } = bundle;
  const calls: string[] = [];
  const add = (name: string, own: Partial<ServiceRunner> = {}, enabled = true) => {
    const runner: Record<string, unknown> = { ...own, kind: 'hosted' };
    for (const hook of hooks) {
      runner[hook] = (signal: AbortSignal) => {
        calls.push(`${name}.${hook}`);
        return own[hook]?.(signal);
      };
    }
    runner['begin'] = () => calls.push(`${name}.begin`);
    const definition = { name, exceptionBehavior: 'stopHost' as const, enabled };
    // It has a function for each hook, which a record filled in a loop does not show.
    return host.add({ ...definition, runner: runner as unknown as ServiceRunner });
  };
  /** Starts the host and forgets what that has recorded. */
  const started = async () => {
    await host.start();
    calls.length = seen.length = 0;
  };
  return { ...bundle, calls, add, started };
}

/** A host to which services with these hooks can be added at run time, and whom their runners report to. */
export function setupAdding() {
  const calls: string[] = [];
  const signals: AbortSignal[] = [];
  const monitors: ServiceMonitor[] = [];
  const bundle = setupHost({}, (service, options) => {
    const { name } = options as { name: string };
    const own = service as Partial<HostedService>;
    const hook = (which: keyof HostedService) => async (signal: AbortSignal) => {
      calls.push(`${name}.${which}`);
      signals.push(signal);
      await own[which]?.(signal);
    };
    const runner = {
      kind: 'hosted' as const,
      attach: (monitor: ServiceMonitor) => void monitors.push(monitor),
      start: hook('start'),
      started: hook('started'),
      stopping: hook('stopping'),
      stop: hook('stop'),
    };
    return { name, runner, exceptionBehavior: 'stopHost', enabled: true };
  });
  return { ...bundle, calls, signals, monitors };
}

/** A hook that throws. */
export function failing(message: string) {
  return () => {
    throw new Error(message);
  };
}

/** Hooks that all wait for the same moment, and note when they begin and end. */
export function inOrder() {
  const order: string[] = [];
  const { opened, open } = gate();
  const wait = (name: string) => async () => {
    order.push(`${name} begins`);
    await opened;
    order.push(`${name} ends`);
  };
  return { order, open, wait };
}
