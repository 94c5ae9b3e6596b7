import { IllegalStateError, isCancellation, StartupTimeoutError } from '../errors.js';
import type { EventOf } from '../events/events.js';
import { partsOf, type Call, type HostPlay, type Request } from './host-play.fixture.js';
import type { LifecycleHook } from './hosted-service.js';

type Violations = readonly string[];

const startHooks: readonly string[] = ['starting', 'start', 'started'];
const stopHooks: readonly string[] = ['stopping', 'stop', 'stopped'];
const isHook = (call: Call): boolean => call.of !== 'execute';
const isStartHook = (name: string): boolean => startHooks.includes(name.replace('()', ''));
/** Any illegal change of state but this one would be a slip of the supervisor's, not a refusal. */
const isSlip = (message: string): boolean => /Becoming (?!starting)/.test(message);
const listed = (errors: readonly unknown[]): string => errors.map(String).toSorted().join('; ');
const failed = (call: Call): boolean => call.thrown !== undefined;
const label = ({ service, of, began }: Call): string => `${service}.${of} at line ${began}`;
const eventsOf = <T extends Parameters<HostPlay['bundle']['ofType']>[0]>(play: HostPlay, type: T) =>
  play.events.filter((entry): entry is { at: number; event: EventOf<T> & typeof entry.event } => {
    return entry.event.type === type;
  });
/** Where the time to stop was used up, or a caller of stop gave up waiting. */
const deadlinesOf = (play: HostPlay): readonly number[] => [
  ...eventsOf(play, 'host.deadlinePassed').map(({ at }) => at),
  ...play.requests.flatMap(({ aborted = [] }) => aborted),
];
/** A stop waits for a hook to end, unless the deadline has passed. */
const waitedFor = (play: HostPlay, call: Call, next: Call): boolean =>
  call.ended! < next.began || next.signalWasAborted || deadlinesOf(play).some((at) => at < next.began);
const namesOf = (play: HostPlay): readonly string[] => play.bundle.host.services.map(({ name }) => name);
const callsOf = (play: HostPlay, service: string): readonly Call[] =>
  play.calls.filter((call) => call.service === service && isHook(call));

/** What follows a hook, when it has succeeded. */
const follows: Readonly<Record<LifecycleHook, readonly string[]>> = {
  starting: ['start', 'starting'],
  start: ['started', 'stopping'],
  started: ['stopping'],
  stopping: ['stop'],
  stop: ['stopped'],
  stopped: ['starting'],
};
/** Those of long-running services have no start and stop that the plan could see. */
const followsUnseen: typeof follows = {
  ...follows,
  starting: ['started', 'starting', 'stopping'],
  stopping: ['stopped'],
};

/** The hooks of a service make lives, each hook once in each, and none before the one before it has ended. */
export function hooksMakeLives(play: HostPlay): Violations {
  const violations: string[] = [];
  for (const name of namesOf(play)) {
    const calls = callsOf(play, name);
    const isHosted = calls.some(({ of }) => of === 'start' || of === 'stop');
    for (const [index, call] of calls.entries()) {
      const before = calls[index - 1];
      if (before === undefined) {
        if (call.of !== 'starting') violations.push(`${label(call)} is the first`);
        continue;
      }
      const next = (isHosted ? follows : followsUnseen)[before.of as LifecycleHook];
      const afterFailure = startHooks.includes(before.of) && before.of !== 'started' ? ['starting'] : next;
      const allowed = failed(before) && before.ended! < call.began ? afterFailure : next;
      if (!allowed.includes(call.of)) violations.push(`${label(call)} follows ${label(before)}`);
      const isStart = startHooks.includes(call.of);
      const overlaps = isStart ? !(before.ended! < call.began) : !waitedFor(play, before, call);
      if (overlaps) violations.push(`${label(call)} begins before the end of ${label(before)}`);
    }
  }
  return violations;
}

/** Whatever has started is stopped, with all its hooks. */
export function allThatStartedIsStopped(play: HostPlay): Violations {
  return namesOf(play).flatMap((name) => {
    const calls = callsOf(play, name);
    const started = calls.filter((call) => call.of === 'start' && !failed(call));
    return stopHooks
      .filter(() => started.length > 0)
      .filter((hook) => calls.filter(({ of }) => of === hook).length !== started.length)
      .map((hook) => `${name} started ${started.length} times, and its ${hook} was called otherwise`);
  });
}

/** In plans without steering: phase after phase, in order at start and in reverse at stop. */
export function phasesAreBarriers(play: HostPlay): Violations {
  const { servicesStartConcurrently, servicesStopConcurrently } = play.plan;
  const late = startedLate(play);
  const calls = play.calls.filter((call) => isHook(call) && !late.has(call.service));
  const order = namesOf(play);
  const violations: string[] = [];
  for (const [index, call] of calls.entries()) {
    const isStart = startHooks.includes(call.of);
    const hooks = isStart ? startHooks : stopHooks;
    const isConcurrent = isStart ? servicesStartConcurrently : servicesStopConcurrently;
    for (const earlier of calls.slice(0, index)) {
      const phases = hooks.indexOf(call.of) - hooks.indexOf(earlier.of);
      if (!hooks.includes(earlier.of) || phases < 0) {
        if (hooks.includes(earlier.of)) violations.push(`${label(call)} comes after ${label(earlier)}`);
        continue;
      }
      const mayOverlap = phases === 0 && isConcurrent;
      const waited = isStart ? earlier.ended! < call.began : waitedFor(play, earlier, call);
      if (!mayOverlap && !waited) violations.push(`${label(call)} does not wait for ${label(earlier)}`);
      const places = order.indexOf(call.service) - order.indexOf(earlier.service);
      const inOrder = phases > 0 || (isStart ? places > 0 : places < 0);
      if (!inOrder) violations.push(`${label(call)} comes after ${label(earlier)}`);
    }
  }
  return violations;
}

/** No stop takes longer than the deadline, nor than the patience of its most impatient caller. */
export function stopsEndInTime(play: HostPlay): Violations {
  const { shutdownTimeout } = play.plan;
  const limit = shutdownTimeout === 'infinite' ? Number.POSITIVE_INFINITY : shutdownTimeout;
  const stops = play.requests.filter(({ what }) => what === 'stop');
  const aborts = stops.flatMap(({ abortedAt = [] }) => abortedAt);
  return stops.flatMap((stop) => {
    const deadline = Math.min(stop.beganAt + limit, ...aborts.map((at) => Math.max(at, stop.beganAt)));
    if (stop.endedAt !== undefined && stop.endedAt <= deadline) return [];
    return `the stop of line ${stop.began} ended at ${stop.endedAt}, after ${deadline}`;
  });
}

/** Each `execute()` runs alone and not before the host has started, and is told to end. */
export function executesAreKept(play: HostPlay): Violations {
  const started = eventsOf(play, 'host.started')[0]?.at ?? Number.POSITIVE_INFINITY;
  const executes = play.calls.filter((call) => !isHook(call));
  return executes.flatMap((call, index) => {
    const overlapping = executes
      .slice(0, index)
      .filter(({ service, ended }) => service === call.service && !(ended! < call.began));
    const violations = overlapping.map((other) => `${label(call)} runs beside ${label(other)}`);
    if (call.began < started) violations.push(`${label(call)} begins before the host has started`);
    if (call.ended === undefined) violations.push(`${label(call)} never ended`);
    const wasTold = call.signal.aborted;
    const endedByItself = play.events.some(
      ({ event, at }) =>
        ['service.completed', 'service.faulted', 'service.restarting'].includes(event.type) &&
        'service' in event &&
        event.service === call.service &&
        at > call.began,
    );
    if (!wasTold && !endedByItself) violations.push(`${label(call)} was never told to end`);
    return violations;
  });
}

/** What an `execute()` throws is told once, as a fault or as the reason of a restart, and nothing else is. */
export function faultsAreTold(play: HostPlay): Violations {
  const told = [...eventsOf(play, 'service.faulted'), ...eventsOf(play, 'service.restarting')].map(
    ({ event }) => event.error,
  );
  const thrown = play.calls.filter((call) => !isHook(call) && failed(call));
  const faults = thrown
    .filter(({ thrown: error, signal, toldToStop }) => !(toldToStop && error === signal.reason))
    .map(({ thrown: error }) => error);
  return compare('faults', faults, told);
}

/** What a stop hook throws is told once, as an event. */
export function stopFailuresAreTold(play: HostPlay): Violations {
  const told = eventsOf(play, 'service.stopFailed').map(({ event }) => event.error);
  const thrown = play.calls.filter((call) => stopHooks.includes(call.of) && failed(call));
  return compare(
    'failures of stop hooks',
    thrown.map((call) => call.thrown),
    told,
  );
}

/** The stop rejects with the faults that stopped the host, and with what the hooks that it waited for threw. */
export function stopRejectsWithWhatHappened(play: HostPlay): Violations {
  const stops = play.requests.filter(({ what }) => what === 'stop');
  const [first] = stops;
  const different = stops.some((stop) => stop.error !== first!.error || stop.rejected !== first!.rejected);
  const end = eventsOf(play, 'host.stopped')[0]!.at;
  const startFailed = eventsOf(play, 'host.startFailed').length > 0;
  const faults = eventsOf(play, 'service.faulted')
    .filter(({ at, event }) => event.consequence === 'stopHost' && at < end)
    .map(({ event }) => event.error);
  const failures = play.calls.filter(
    (call) => stopHooks.includes(call.of) && failed(call) && call.ended! < end,
  );
  // What was thrown around the deadline, or in undoing a start, may or may not have been waited for.
  const late = startedLate(play);
  const certain = failures.filter(
    (call) => !startFailed && !late.has(call.service) && !passedDeadline(play, call),
  );
  const got = first!.rejected ? partsOf(first!.error) : [];
  const lost = [...faults, ...certain.map((call) => call.thrown)].filter((error) => !got.includes(error));
  const possible = new Set([...faults, ...failures.map((call) => call.thrown)]);
  const violations = lost.map((error) => `the stop lost ${String(error)}`);
  if (got.some((error) => !possible.has(error))) violations.push('the stop rejects with too much');
  return different ? [...violations, 'two callers of stop were told different things'] : violations;
}

/** Services whose start was given up on. If it ends after all, it is made up for at once, whatever the others do. */
function startedLate(play: HostPlay): ReadonlySet<string> {
  const given = eventsOf(play, 'service.abandoned').filter(({ event }) => event.running.some(isStartHook));
  return new Set(given.map(({ event }) => event.service));
}

function passedDeadline(play: HostPlay, call: Call): boolean {
  return deadlinesOf(play).some((at) => at < call.ended!);
}

/** The start is done with everything started, or stopping; or it rejects with all that failed, and all is stopped. */
export function startEndsAsItShould(play: HostPlay): Violations {
  const start = play.requests.find(({ what }) => what === 'start')!;
  if (start.ended === undefined) return ['the start never ended'];
  const thrown = play.calls.filter(
    (call) => startHooks.includes(call.of) && failed(call) && call.ended! < start.ended!,
  );
  const failures = thrown.filter(({ thrown: error, signal }) => !isCancellation(error, signal));
  const { started, stopping } = play.bundle.lifetime;
  if (start.rejected) return [...startErrors(start, failures), ...rolledBack(play, start)];
  const violations = stopping.aborted || failures.length === 0 ? [] : ['the start lost an error'];
  if (!started.aborted && !stopping.aborted) violations.push('the start ended with nothing signalled');
  return failures.length > 0 ? [...violations, `the start lost ${label(failures[0]!)}`] : violations;
}

function startErrors(start: Request, failures: readonly Call[]): Violations {
  const timedOut = start.error instanceof StartupTimeoutError;
  const cause = timedOut ? (start.error as Error).cause : start.error;
  const got = cause === undefined ? [] : partsOf(cause);
  return compare(
    'errors of the start',
    failures.map((call) => call.thrown),
    got,
  );
}

function rolledBack(play: HostPlay, start: Request): Violations {
  return play.calls
    .filter((call) => call.of === 'start' && !failed(call) && call.ended! < start.ended!)
    .flatMap((call) => {
      const stopped = play.calls.find((other) => other.service === call.service && other.of === 'stopped');
      const isInTime = stopped !== undefined && stopped.began < start.ended!;
      return isInTime ? [] : `${label(call)} was not rolled back before the start rejected`;
    });
}

/** In the end nothing runs, waits or listens, and every service has come to rest. */
export function nothingIsLeft(play: HostPlay): Violations {
  const { host, clock } = play.bundle;
  const atRest = ['idle', 'disabled', 'stopped', 'completed', 'faulted'];
  const violations = host.services
    .filter(({ state }) => !atRest.includes(state))
    .map(({ name, state }) => `${name} is ${state} in the end`);
  if (clock.pendingTimers > 0) violations.push(`${clock.pendingTimers} timers are armed`);
  if (play.listenersLeft() > 0) violations.push(`${play.listenersLeft()} listeners are left`);
  if (host.unfinished.length > 0) violations.push(`unfinished: ${host.unfinished.join(', ')}`);
  for (const { what, ended } of play.requests)
    if (ended === undefined) violations.push(`${what} never ended`);
  return violations;
}

/** No error comes out that nobody threw, but for those with which an operation is refused. */
export function noErrorIsInvented(play: HostPlay): Violations {
  const thrown = new Set(play.calls.map((call) => call.thrown));
  const errors = play.requests.filter(({ rejected }) => rejected).flatMap(({ error }) => partsOf(error));
  return errors.flatMap((error) => {
    if (thrown.has(error) || error instanceof StartupTimeoutError) return [];
    const isRefusal = error instanceof IllegalStateError && !isSlip(error.message);
    return isRefusal ? [] : `${String(error)} came from nowhere`;
  });
}

function compare(what: string, expected: readonly unknown[], got: readonly unknown[]): Violations {
  const [wanted, actual] = [listed(expected), listed(got)];
  return wanted === actual ? [] : [`${what}: expected [${wanted}], got [${actual}]`];
}
