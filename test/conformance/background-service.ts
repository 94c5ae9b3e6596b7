import type { Behaviour } from './behaviour.js';

export const backgroundService: readonly Behaviour[] = [
  {
    id: 'B1',
    behaviour: '`ExecuteTask` is null before the start and then the task of the running `ExecuteAsync`.',
    difference: {
      kind: 'differs',
      reason:
        'There is no base class to hold a promise: the handle, `host.service(nameOrClass)`, has `state`, `startedAt` and `lastError`.',
      decision: '0015-where-the-host-differs',
    },
  },
  { id: 'B2', behaviour: 'The start completes while `ExecuteAsync` is still running.' },
  {
    id: 'B3',
    behaviour:
      'No part of `ExecuteAsync` runs inside `StartAsync`; when it begins in the course of the start is not defined.',
    difference: {
      kind: 'differs',
      reason:
        'It begins when all services have started, in order. There is one thread, so `execute()` holds up everything until its first wait.',
      decision: '0008-execute-begins-when-all-have-started',
    },
  },
  {
    id: 'B4',
    behaviour: 'The start never fails because of `ExecuteAsync`, not even if that throws at once.',
  },
  {
    id: 'B5',
    behaviour: 'Up to .NET 9 an `ExecuteAsync` that failed before its first wait failed the start.',
    difference: {
      kind: 'differs',
      reason: 'The rule of .NET 10 holds here: the start succeeds, and the fault is one of a running host.',
      decision: '0008-execute-begins-when-all-have-started',
    },
  },
  {
    id: 'B6',
    behaviour:
      'When the start token is cancelled already, the start succeeds and `ExecuteAsync` is never called.',
    difference: {
      kind: 'differs',
      reason:
        'So it is when stopping was asked for. A start that outlasts `startupTimeout` and succeeds even so has its `execute()`: a host that says it has started and runs nothing would be worse than one that started late.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'B7',
    behaviour: 'The stopping token is linked to the token of the start.',
    difference: {
      kind: 'differs',
      reason: 'It is a signal of its own: only being told to stop aborts it.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'B8',
    behaviour: 'In .NET 10 a stop that comes quickly could keep `ExecuteAsync` from ever being called.',
    difference: {
      kind: 'differs',
      reason: 'The rule that .NET has made of it since holds here, B9.',
      decision: '0008-execute-begins-when-all-have-started',
    },
  },
  {
    id: 'B9',
    behaviour:
      'After a start `ExecuteAsync` is called exactly once, perhaps with a token that is cancelled already.',
    difference: {
      kind: 'differs',
      reason:
        'After the start of the whole host: if stopping is asked for before that is complete, no `execute()` is called.',
      decision: '0008-execute-begins-when-all-have-started',
    },
  },
  { id: 'B10', behaviour: 'A stop without a start does nothing.' },
  {
    id: 'B11',
    behaviour: 'A stop cancels the stopping token and waits for `ExecuteAsync`, or for its own token.',
  },
  {
    id: 'B12',
    behaviour:
      'The stop of a service rejects neither because its token fires nor because `ExecuteAsync` failed.',
  },
  {
    id: 'B13',
    behaviour:
      'When a callback of the stopping token throws, all others run, and the stop waits and then rejects with the error.',
    difference: {
      kind: 'differs',
      reason:
        'All others run and the stop waits, but what a listener of an `AbortSignal` throws is an uncaught exception of the process, which nobody can collect.',
      decision: '0013-where-channels-differ',
    },
  },
  { id: 'B14', behaviour: 'A second stop cancels nothing again, and waits again.' },
  {
    id: 'B15',
    behaviour: '`Dispose` cancels the stopping token without waiting, and is harmless before the start.',
    difference: {
      kind: 'differs',
      reason:
        'A service has no `Dispose` beside its stop: closing the application stops it, which waits. Closing one that never started calls nothing of it.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'B16',
    behaviour: 'A second start of one instance makes a second run and loses the first.',
    difference: {
      kind: 'differs',
      reason: 'Starting what runs does nothing.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'B17',
    behaviour: 'A service that does not set `ExecuteTask` is not watched.',
    difference: {
      kind: 'differs',
      reason:
        'The host itself calls `execute()`, so there is none that it does not watch, whatever other methods the class has.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'B18',
    behaviour: 'When `ExecuteAsync` completes, nothing is logged and the host goes on.',
    difference: {
      kind: 'beyond',
      reason: 'The host goes on; an event, the state `completed` and a log line tell of it.',
    },
  },
  { id: 'B19', behaviour: 'By default a fault is logged and then stops the host.' },
  { id: 'B20', behaviour: 'A fault that is to be ignored is logged, and everything else goes on.' },
  {
    id: 'B21',
    behaviour: 'What a fault does is set for the whole host, and is one of two: stop it or ignore it.',
    difference: {
      kind: 'beyond',
      reason: 'Each service may say otherwise, and long-running ones may be restarted.',
    },
  },
  {
    id: 'B22',
    behaviour: 'That is for faults of `ExecuteAsync`; hooks that throw follow the rules of start and stop.',
  },
  {
    id: 'B23',
    behaviour: 'A cancellation that escapes `ExecuteAsync` when stopping was asked for is no fault.',
  },
  { id: 'B24', behaviour: 'A cancellation that escapes it before that is a fault.' },
  { id: 'B25', behaviour: 'It is no fault either when stopping is asked for while the host is starting.' },
  { id: 'B26', behaviour: 'Any other error during the stop is a fault.' },
  {
    id: 'B27',
    behaviour:
      'Up to .NET 10 `RunAsync` and `StopAsync` succeeded after a fault, and the process exited with 0.',
    difference: {
      kind: 'differs',
      reason: 'The rule of .NET 11 holds here, B28, and `runUntilStopped()` sets the exit code 1.',
    },
  },
  { id: 'B28', behaviour: 'After a fault they throw it: one as it is, several as an `AggregateException`.' },
  {
    id: 'B29',
    behaviour: 'A very early fault cancels the start of the others, whose cancellation may hide it.',
    difference: {
      kind: 'differs',
      reason: 'Nothing is executed during the start, so a fault is always one of a running host.',
      decision: '0008-execute-begins-when-all-have-started',
    },
  },
  { id: 'B30', behaviour: 'After a fault the other services are stopped as in any stop.' },
  {
    id: 'B31',
    behaviour:
      'Overriding `StartAsync` or `StopAsync` needs a call of the base method; what comes before it blocks the start.',
    difference: {
      kind: 'differs',
      reason:
        'There is no base method to forget: what has to be done before the start, and is waited for, belongs into `starting()` or `started()`.',
      decision: '0015-where-the-host-differs',
    },
  },
  { id: 'B32', behaviour: 'A background service may have the hooks of `IHostedLifecycleService` too.' },
  {
    id: 'B33',
    behaviour: 'A hosted service is a singleton without a scope, and opens scopes for what is scoped.',
    difference: {
      kind: 'beyond',
      reason:
        'The same with `ServiceScopeFactory`. Injecting something scoped is refused, and services that tick have a scope for each tick.',
      decision: '0007-captive-dependencies-are-refused',
    },
  },
  {
    id: 'B34',
    behaviour:
      '`ApplicationStopping` cancels no stopping token: each worker goes on at full speed until its turn to stop.',
    difference: {
      kind: 'differs',
      reason:
        'Each has its token aborted at its turn too, but from the moment stopping fires no new tick starts and nothing is restarted.',
      decision: '0004-one-stop-at-a-time',
    },
  },
];
