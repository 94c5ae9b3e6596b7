import type { Behaviour } from './behaviour.js';

export const hostStart: readonly Behaviour[] = [
  {
    id: 'H1',
    behaviour:
      'A start runs `StartingAsync` of every service, then `StartAsync`, then `StartedAsync`, then signals `ApplicationStarted`, in both modes.',
  },
  {
    id: 'H2',
    behaviour: 'No service starts before `IHostLifetime.WaitForStartAsync` has completed.',
    difference: {
      kind: 'differs',
      reason:
        'What comes before the services is the rest of the Nest application: they start when the bootstrap hooks of every other module have ended.',
      decision: '0009-outermost-by-distance',
    },
  },
  {
    id: 'H3',
    behaviour:
      'Cancelling the start during `WaitForStartAsync` rejects it, and no service is started or stopped.',
    difference: {
      kind: 'differs',
      reason:
        'Stopping that is asked for while other modules bootstrap starts no service and stops none, but does not reject: `app.init()` resolves and the stop follows.',
      decision: '0002-stopping-during-the-start-starts-nothing-more',
    },
  },
  {
    id: 'H4',
    behaviour: 'Cancellation is looked at once more right before services are started.',
    difference: {
      kind: 'differs',
      reason: 'It is, and again no service is started, but the start does not reject.',
      decision: '0002-stopping-during-the-start-starts-nothing-more',
    },
  },
  {
    id: 'H5',
    behaviour:
      'The token of the start hooks is cancelled by the caller, by `ApplicationStopping` and by `StartupTimeout`.',
    difference: {
      kind: 'differs',
      reason:
        '`app.init()` of Nest takes no signal, so there is none of a caller to pass on; `stopApplication()` and `startupTimeout` abort it.',
      decision: '0015-where-the-host-differs',
    },
  },
  { id: 'H6', behaviour: 'A service that ignores the cancelled start token and finishes starts normally.' },
  {
    id: 'H7',
    behaviour:
      'All constructors run before the first start hook, and one that throws fails the start with its own error.',
  },
  {
    id: 'H8',
    behaviour: 'Services start in the order of their registration.',
    difference: {
      kind: 'differs',
      reason:
        'A Nest application registers modules, not services: modules that others import come first, and within a module its `providers` in their order.',
    },
  },
  { id: 'H9', behaviour: 'A phase begins when every service has ended the one before.' },
  {
    id: 'H10',
    behaviour: 'One after the other, a hook is called when that of the service before has ended.',
  },
  { id: 'H11', behaviour: 'That holds for all three phases of the start.' },
  {
    id: 'H12',
    behaviour: 'Concurrent hooks are called in order, each up to its first wait, and then awaited together.',
  },
  {
    id: 'H13',
    behaviour: 'One after the other, the first error ends the phase, and later phases are skipped.',
  },
  {
    id: 'H14',
    behaviour:
      'Concurrently, every hook of the phase is called whatever the others throw, and later phases are skipped.',
  },
  {
    id: 'H15',
    behaviour:
      'One error is thrown as it is at the end of its phase; several become an `AggregateException`.',
  },
  { id: 'H16', behaviour: 'It makes no difference whether a hook throws at once or after a wait.' },
  { id: 'H17', behaviour: 'A failed start is logged once, before it is thrown.' },
  {
    id: 'H18',
    behaviour: 'A failed start signals neither `ApplicationStarted` nor `ApplicationStopping`.',
  },
  {
    id: 'H19',
    behaviour: 'When the start fails, services that had started are not stopped.',
    difference: {
      kind: 'differs',
      reason: 'They are stopped, in reverse and within `shutdownTimeout`, before the start rejects.',
      decision: '0001-a-failed-start-is-rolled-back',
    },
  },
  {
    id: 'H20',
    behaviour: '`RunAsync` throws what made the start fail, after disposing the host without stopping it.',
    difference: {
      kind: 'differs',
      reason:
        '`runUntilStopped()` rejects with it too, but what had started is stopped first, and the application is closed, so that other modules release what they had opened. Nest 11 does not tear down an application that failed to start.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'H21',
    behaviour:
      'A stop after a failed start calls the hooks of all services, also of those that never started.',
    difference: {
      kind: 'differs',
      reason:
        'Stop hooks are called once, and only of services whose start succeeded; after a failed start that has happened already.',
      decision: '0001-a-failed-start-is-rolled-back',
    },
  },
  {
    id: 'H22',
    behaviour: '`StartupTimeout` cancels the start token, and a service that ignores it is still waited for.',
  },
  {
    id: 'H23',
    behaviour: 'Its expiry surfaces as the cancellation that a hook throws; there is no error of its own.',
    difference: {
      kind: 'differs',
      reason:
        'It is a `StartupTimeoutError` that names the limit, with what hooks made of it as its `cause`.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'H24',
    behaviour: '`StartupTimeout` covers `WaitForStartAsync` too.',
    difference: {
      kind: 'differs',
      reason:
        'It begins with the first service: the hooks of other modules are called by Nest and take no signal that it could abort.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'H25',
    behaviour: 'Options that fail validation fail the start before any service hears of it.',
    difference: {
      kind: 'beyond',
      reason:
        'They are refused with all problems at once, and where they are written: `forRoot()` and the decorators throw when they are called, `forRootAsync()` when Nest makes the module.',
    },
  },
  {
    id: 'H26',
    behaviour:
      '`ApplicationStarted` is signalled after all `StartedAsync`, and its callbacks have run when the start completes.',
  },
  {
    id: 'H27',
    behaviour:
      'A throwing callback of `ApplicationStarted` fails nothing; all others run, and the error is logged.',
    difference: {
      kind: 'differs',
      reason:
        '`lifetime.started` is an `AbortSignal`: the start and the other listeners are not disturbed, but the platform makes what one throws an uncaught exception, which ends the process unless that is handled. A listener of `BackgroundEvents` that throws is an event and a log line.',
      decision: '0013-where-channels-differ',
    },
  },
  {
    id: 'H28',
    behaviour:
      'After `StopApplication()` in the middle of a start the remaining services are started even so.',
    difference: {
      kind: 'differs',
      reason: 'No further start hook is called, and the start resolves; the stop stops what had started.',
      decision: '0002-stopping-during-the-start-starts-nothing-more',
    },
  },
  {
    id: 'H29',
    behaviour: 'A host can be started again: every `StartAsync` is called once more.',
    difference: {
      kind: 'differs',
      reason: 'A host starts once, as a Nest application does; every call gets the promise of that start.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'H30',
    behaviour: 'Concurrently, a hook that returns an already cancelled task counts as a success.',
    difference: {
      kind: 'differs',
      reason:
        'A promise has no cancelled state: an `AbortError` is a failure of the start unless its signal was aborted.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'H31',
    behaviour:
      'Concurrently, cancellations are not reported beside faults, and by themselves as one cancellation.',
    difference: {
      kind: 'differs',
      reason:
        'The same, but that the time was up stays visible: by itself as one `StartupTimeoutError`, and with failures as the error that has them as its `cause`.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'H32',
    behaviour: 'A second registration of one class is ignored without a word.',
    difference: {
      kind: 'differs',
      reason: 'It is ignored with a warning that names both modules.',
      decision: '0006-one-run-however-often-provided',
    },
  },
  {
    id: 'H33',
    behaviour: 'Of several factories of one class only the first is registered.',
    difference: {
      kind: 'differs',
      reason:
        'The first runs, with a warning that names the factories; services of one class that are meant to be several are added with `host.addService(instance, { name })`.',
      decision: '0006-one-run-however-often-provided',
    },
  },
  {
    id: 'H34',
    behaviour: 'A hosted service cannot be injected under its own class unless that is registered as well.',
    difference: {
      kind: 'beyond',
      reason: 'A service is an ordinary provider: others inject the very instance that runs.',
    },
  },
  {
    id: 'H35',
    behaviour:
      'An `IHostApplicationLifetime` of one’s own is refused at build; `IHostLifetime` is replaceable.',
    difference: {
      kind: 'differs',
      reason:
        'A module that provides an `ApplicationLifetime` is refused with `LifetimeReplacedError`. There is no `IHostLifetime`: whoever has the application object runs it, with `runUntilStopped()` or otherwise.',
      decision: '0015-where-the-host-differs',
    },
  },
  {
    id: 'H36',
    behaviour: 'What the host does is logged under numbered event ids, of levels from Debug to Critical.',
    difference: {
      kind: 'differs',
      reason:
        'Everything is an event of `BackgroundEvents`, told apart by its `type`; Nest’s `Logger` has neither event ids nor a critical level, so failures are lines of level error, and start and stop lines of level log.',
    },
  },
  {
    id: 'H37',
    behaviour:
      'The shutdown timeout is 30 s, the startup timeout infinite, both modes sequential, a fault stops the host; zero and the longest time are accepted.',
    difference: {
      kind: 'beyond',
      reason: 'The same defaults and limits; negative and unreadable values are refused.',
    },
  },
  {
    id: 'H38',
    behaviour:
      'Options are also read from the host configuration, and values that cannot be parsed are ignored.',
    difference: {
      kind: 'differs',
      reason:
        'Nest has no configuration of its own: `forRootAsync()` takes options from wherever they are, durations as text too, and a value that cannot be read fails the start.',
      decision: '0015-where-the-host-differs',
    },
  },
];
