import type { Behaviour } from './behaviour.js';

export const hostStop: readonly Behaviour[] = [
  {
    id: 'S1',
    behaviour:
      'A stop runs `StoppingAsync` of every service, signals `ApplicationStopping`, runs `StopAsync`, then `StoppedAsync`, and signals `ApplicationStopped`.',
  },
  {
    id: 'S2',
    behaviour:
      'When the stop is asked for by `StopApplication()` or a signal, `ApplicationStopping` comes before `StoppingAsync`.',
  },
  { id: 'S3', behaviour: 'Services are stopped in reverse order, in all three phases.' },
  {
    id: 'S4',
    behaviour: 'One after the other, a hook waits for that of the service before; the time is shared by all.',
  },
  {
    id: 'S5',
    behaviour:
      'Concurrent hooks are called in reverse, each up to its first wait, and then awaited together.',
  },
  { id: 'S6', behaviour: 'A hook that throws keeps neither other hooks nor later phases from running.' },
  {
    id: 'S7',
    behaviour:
      'Errors are thrown at the very end: one as it is, several as an `AggregateException` in order.',
  },
  {
    id: 'S8',
    behaviour: '`IHostLifetime.StopAsync` runs even if services failed to stop, and its error joins theirs.',
    difference: {
      kind: 'differs',
      reason:
        'What follows here is the teardown of the other modules. It runs even if services failed to stop, whose errors are events and log lines; when Nest rejects the closing, `runUntilStopped()` throws that together with the faults.',
      decision: '0015-where-the-host-differs',
    },
  },
  { id: 'S9', behaviour: '`ApplicationStopped` is signalled also when hooks failed.' },
  {
    id: 'S10',
    behaviour:
      '`ShutdownTimeout` is one budget from the beginning of the stop; at its end the token of every hook is cancelled.',
    difference: {
      kind: 'differs',
      reason:
        'One budget, but between the `stopping` hooks and the rest Nest finishes open requests: that time is not in it.',
      decision: '0015-where-the-host-differs',
    },
  },
  { id: 'S11', behaviour: 'Cancelling the token of the caller has the same effect as the timeout.' },
  { id: 'S12', behaviour: 'The timeout holds with a token that never fires, and without one.' },
  {
    id: 'S13',
    behaviour: 'At the timeout nothing is abandoned: a hook that ignores its token hangs the stop for ever.',
    difference: {
      kind: 'differs',
      reason:
        'Its signal is aborted, it has a few turns of the event loop to heed that, and then it is left behind and named in an event and a log line. The remaining hooks are still called.',
      decision: '0003-the-deadline-ends-the-waiting',
    },
  },
  { id: 'S14', behaviour: 'The timeout is an error only if a hook throws because of it.' },
  {
    id: 'S15',
    behaviour: 'A worker that ignores its token until the timeout causes neither an error nor a log entry.',
    difference: {
      kind: 'differs',
      reason: 'No error either, but an event and a log line name it and what of it is still running.',
      decision: '0003-the-deadline-ends-the-waiting',
    },
  },
  {
    id: 'S16',
    behaviour:
      'Stopping a host that never started calls no hook, and signals `ApplicationStopping` and `ApplicationStopped`.',
  },
  {
    id: 'S17',
    behaviour: '`StopApplication()` only signals; somebody must be waiting for that to stop the services.',
    difference: {
      kind: 'beyond',
      reason:
        'It only signals here too. In an application somebody always waits: `runUntilStopped()`, Nest’s shutdown hooks, or the module, which at least stops services and queues.',
      decision: '0012-closing-an-application-from-inside',
    },
  },
  {
    id: 'S18',
    behaviour: 'Only the first `StopApplication()` counts, and its callbacks have run when it returns.',
  },
  {
    id: 'S19',
    behaviour: 'What callbacks of the lifetime throw is logged and goes no further; all of them run.',
    difference: {
      kind: 'differs',
      reason:
        'The lifetime has `AbortSignal`s: the stop and the other listeners are not disturbed, but the platform makes what one throws an uncaught exception, which ends the process unless that is handled. A listener of `BackgroundEvents` that throws is an event and a log line.',
      decision: '0013-where-channels-differ',
    },
  },
  {
    id: 'S20',
    behaviour:
      'Callbacks of started have finished before those of stopping run, those before stopped, and those before `RunAsync` completes.',
  },
  {
    id: 'S21',
    behaviour:
      'Registering with a lifetime event that is past calls the callback at once; callbacks run in reverse order.',
    difference: {
      kind: 'differs',
      reason:
        'Listeners of an `AbortSignal` run in the order in which they were added, and one that is added too late is never called: look at `signal.aborted` first.',
      decision: '0013-where-channels-differ',
    },
  },
  {
    id: 'S22',
    behaviour:
      '`RunAsync` starts, waits for the shutdown and disposes; cancelling its token asks for a graceful stop.',
    difference: {
      kind: 'differs',
      reason:
        '`runUntilStopped()` starts, waits and closes the application. It takes no signal: whoever has one calls `stopApplication()` when it is aborted.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'S23',
    behaviour: 'The stop that follows has no token of a caller: `ShutdownTimeout` is its only limit.',
    difference: {
      kind: 'beyond',
      reason: 'So it is here, and a second Ctrl+C ends the process at once.',
    },
  },
  {
    id: 'S24',
    behaviour: 'A second `StopAsync` calls every hook again, side by side with the first.',
    difference: {
      kind: 'differs',
      reason: 'One stop runs, and every caller gets its promise.',
      decision: '0004-one-stop-at-a-time',
    },
  },
  {
    id: 'S25',
    behaviour: 'Disposing the host does not stop its services.',
    difference: {
      kind: 'differs',
      reason: '`app.close()` is the one end that a Nest application has, and it stops services first.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'S26',
    behaviour: 'Stopping disposes nothing; that happens when the host is disposed.',
    difference: {
      kind: 'differs',
      reason:
        'Stopping the host leaves all providers as they are. Singletons end by Nest’s own hooks when the application is closed; Nest does not dispose them.',
      decision: '0020-where-scopes-differ',
    },
  },
  {
    id: 'S27',
    behaviour: 'The synchronous `Dispose` of the host blocks until the asynchronous one has ended.',
    difference: {
      kind: 'notApplicable',
      reason: 'JavaScript cannot block on a promise: closing an application is asynchronous, and only that.',
    },
  },
  {
    id: 'S28',
    behaviour:
      'SIGINT, SIGQUIT and SIGTERM ask for the stop instead of ending the process, while the host runs.',
    difference: {
      kind: 'beyond',
      reason: 'Under `runUntilStopped()` they do, and a second one ends the process at once.',
    },
  },
  {
    id: 'S29',
    behaviour: 'The errors of a stop include faults of workers that come up while it is stopping them.',
  },
  {
    id: 'S30',
    behaviour: 'Faults that stopped the host are thrown by the stop, together with what hooks threw.',
  },
  { id: 'S31', behaviour: 'A second stop throws the fault again.' },
  { id: 'S32', behaviour: 'Faults that are to be ignored are thrown by nothing.' },
];
