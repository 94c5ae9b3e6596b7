import type { Behaviour } from './behaviour.js';

const captive = '0007-captive-dependencies-are-refused';
const scopesDiffer = '0020-where-scopes-differ';

export const scopes: readonly Behaviour[] = [
  {
    id: 'D1',
    behaviour:
      'The scope factory is one for the application, and scopes are not nested: disposing one leaves all others.',
  },
  { id: 'D2', behaviour: 'A scoped service is one instance within a scope, and another elsewhere.' },
  {
    id: 'D3',
    behaviour: 'A transient service is a new instance each time it is resolved.',
    difference: {
      kind: 'differs',
      reason:
        'Everyone who injects a transient gets one of their own, but asking the scope itself twice gives the same one: so Nest resolves within one context.',
      decision: scopesDiffer,
    },
  },
  {
    id: 'D4',
    behaviour:
      'A singleton resolved through a scope belongs to the application: it outlives the scope and is disposed with the application.',
    difference: {
      kind: 'differs',
      reason:
        'It outlives the scope as well; at the end of the application Nest calls its hooks, such as `onModuleDestroy()`, and nothing disposes it.',
      decision: scopesDiffer,
    },
  },
  {
    id: 'D5',
    behaviour:
      "A service provider injected into a scoped service is the scope's, and into a singleton the application's.",
    difference: {
      kind: 'differs',
      reason:
        "Nest's `ModuleRef` belongs to a module and not to a scope; `resolve()` is told the scope by its `contextId`. A tick or task has its scope in its context.",
      decision: scopesDiffer,
    },
  },
  {
    id: 'D6',
    behaviour:
      'Disposable transients are disposed with the scope they were resolved from, and those of the application only at its end.',
    difference: {
      kind: 'differs',
      reason: 'The same within a scope; transients that were made outside every scope are never disposed.',
      decision: scopesDiffer,
    },
  },
  {
    id: 'D7',
    behaviour: 'Disposal goes in reverse order of creation, so dependents come before what they depend on.',
  },
  {
    id: 'D8',
    behaviour: 'What the user handed in is not disposed; what a factory made is.',
    difference: {
      kind: 'differs',
      reason:
        "The same within a scope, but for singletons that a factory only hands out. Singletons end by Nest's hooks.",
      decision: scopesDiffer,
    },
  },
  {
    id: 'D9',
    behaviour:
      'Synchronous disposal of a scope throws when something in it can only be disposed asynchronously.',
    difference: {
      kind: 'differs',
      reason: 'A scope has no synchronous disposal, so the mistake cannot be made.',
      decision: scopesDiffer,
    },
  },
  {
    id: 'D10',
    behaviour: 'Of two forms of disposal the one that is asked for is called, and never both.',
  },
  { id: 'D11', behaviour: 'Asynchronous disposal calls the synchronous form of what has no other.' },
  { id: 'D12', behaviour: 'Asynchronous disposal goes one by one, each awaited.' },
  {
    id: 'D13',
    behaviour: 'Up to .NET 10 the first error ends the disposal, and the rest is never disposed.',
    difference: { kind: 'notApplicable', reason: 'Mended in .NET 11, which is followed here: see D14.' },
  },
  {
    id: 'D14',
    behaviour:
      'All are disposed whatever fails; one error is rethrown as it is, several come as an aggregate.',
  },
  { id: 'D15', behaviour: 'Disposing a scope twice does nothing the second time.' },
  { id: 'D16', behaviour: 'A disposed scope resolves nothing; the application still does.' },
  {
    id: 'D17',
    behaviour:
      'A disposed application resolves nothing and makes no scope, and its open scopes resolve nothing either.',
    difference: {
      kind: 'differs',
      reason:
        "Nest's container has no end: scopes still resolve after `app.close()`, so work that was left behind at the deadline can finish.",
      decision: scopesDiffer,
    },
  },
  { id: 'D18', behaviour: 'Disposing the application does not dispose scopes that are open.' },
  {
    id: 'D19',
    behaviour: 'Disposing the service provider that was injected disposes the whole application.',
    difference: {
      kind: 'notApplicable',
      reason:
        'Nest gives no provider the application, so none can dispose it; `ApplicationLifetime.stopApplication()` asks for its end.',
      decision: '0012-closing-an-application-from-inside',
    },
  },
  {
    id: 'D20',
    behaviour:
      'What is created while its scope is being disposed is disposed as well, and whoever asked for it gets an error.',
  },
  {
    id: 'D21',
    behaviour: 'When something cannot be created, what was created for it before is disposed with the scope.',
  },
  {
    id: 'D22',
    behaviour: 'A wrapper gives a scope of any kind the type that is disposed asynchronously.',
    difference: {
      kind: 'notApplicable',
      reason: 'There is one kind of scope and it has that type: see D23.',
    },
  },
  { id: 'D23', behaviour: 'A scope can be held by `await using`.' },
  {
    id: 'D24',
    behaviour:
      'With validation on, a singleton that depends on a scoped service is refused when it is resolved, naming both.',
    difference: {
      kind: 'differs',
      reason:
        'In Nest such a singleton turns scoped itself. What must be one instance, a long-running or hosted service, is refused at start, naming the whole path.',
      decision: captive,
    },
  },
  {
    id: 'D25',
    behaviour: 'A captive dependency is found through a transient in between.',
    difference: { kind: 'differs', reason: 'The same, at start, for services.', decision: captive },
  },
  {
    id: 'D26',
    behaviour:
      'Through another singleton, a captive dependency is reported at the one next to the scoped service.',
    difference: { kind: 'differs', reason: 'The error names everyone on the path.', decision: captive },
  },
  {
    id: 'D27',
    behaviour: 'A captive dependency is found inside a valid scope too.',
    difference: {
      kind: 'differs',
      reason:
        'Inside a scope nothing is captive: what depends on something scoped is made anew for the scope.',
      decision: captive,
    },
  },
  {
    id: 'D28',
    behaviour: 'With validation on, resolving a scoped service from the application itself is refused.',
    difference: { kind: 'beyond', reason: 'Nest always refuses it.' },
  },
  {
    id: 'D29',
    behaviour:
      'With validation on, resolving from the application a transient that needs a scoped service is refused, naming both.',
    difference: {
      kind: 'differs',
      reason: 'Nest always refuses it, and names what was asked for.',
    },
  },
  {
    id: 'D30',
    behaviour:
      'Of several registrations of one type only the last is judged, unless all are resolved together.',
    difference: {
      kind: 'differs',
      reason: 'The same for one, across modules; Nest does not resolve several together.',
      decision: scopesDiffer,
    },
  },
  { id: 'D31', behaviour: 'A singleton may depend on the scope factory.' },
  {
    id: 'D32',
    behaviour: 'Factories cannot be looked into; only resolving shows what they need.',
    difference: {
      kind: 'beyond',
      reason: 'What a factory declares in `inject` is looked into.',
      decision: captive,
    },
  },
  {
    id: 'D33',
    behaviour:
      'When asked to, the container checks every registration as it is built, and reports all errors together.',
    difference: {
      kind: 'differs',
      reason: 'Nest always checks every provider as the application is built, and stops at the first error.',
    },
  },
  {
    id: 'D34',
    behaviour: 'Validation is off by default, and on in a host in the development environment.',
    difference: { kind: 'differs', reason: 'It is always on, in every environment.', decision: captive },
  },
  {
    id: 'D35',
    behaviour:
      'With validation off, a scoped service that the application resolves lives as long as the application.',
    difference: {
      kind: 'differs',
      reason: "That cannot happen: Nest's `resolve()` makes a new instance for each call outside a scope.",
      decision: captive,
    },
  },
  {
    id: 'D36',
    behaviour:
      'Resolving one takes the last registration, resolving all keeps their order, and an unknown type gives null, or nothing among all, or an error when it is required.',
    difference: {
      kind: 'differs',
      reason:
        'The last one as well; an unknown token is always an error, and Nest does not resolve several together.',
      decision: scopesDiffer,
    },
  },
  {
    id: 'D37',
    behaviour: 'Resolving is synchronous, and asynchronous factories are not supported.',
    difference: {
      kind: 'beyond',
      reason: 'Resolving from a scope gives a promise, and asynchronous factories are awaited.',
      decision: scopesDiffer,
    },
  },
];
