export {
  BackgroundAdmin,
  type BackgroundSnapshot,
  type QueueSnapshot,
  type ServiceSnapshot,
} from './admin/background-admin.js';
export {
  AsyncPayloadSchemaError,
  CaptiveDependencyError,
  ClosureNotDurableError,
  DuplicateNameError,
  DuplicateTaskError,
  DuplicateTaskHandlerError,
  IllegalStateError,
  InvalidPayloadError,
  InvalidWorkError,
  LifetimeReplacedError,
  ModuleNotRegisteredError,
  ModuleRegisteredTwiceError,
  NotAServiceError,
  NotATaskHandlerError,
  NotSupportedError,
  NoTaskHandlerError,
  NotTickedError,
  PartlyEnqueuedError,
  QueueClosedError,
  QueueSelfWaitError,
  ScopeDisposedError,
  StartupTimeoutError,
  StoppingError,
  TaskAbandonedError,
  TaskCancelledError,
  TaskDiscardedError,
  TaskDroppedError,
  TaskExpiredError,
  TaskFailedError,
  TaskInterruptedError,
  TaskOutcomeError,
  TaskResultLostError,
  TaskSupersededError,
  TaskTimeoutError,
  TaskUnfinishedError,
  TickTimeoutError,
  UnknownNameError,
  UnknownTaskError,
  UnstorableOutcomeError,
  WrongQueueError,
  type PayloadIssue,
} from './errors.js';
export { BackgroundEvents } from './events/background-events.js';
export { logEvents, type LogTarget } from './events/event-log.js';
export type {
  BackgroundEvent,
  BackgroundEventType,
  EventDetails,
  EventOf,
  ServiceKind,
  TaskLabel,
  TickOutcome,
} from './events/events.js';
export type { OccurrenceClaim, OccurrenceStorage } from './hosting/occurrence-storage.js';
export { BackgroundHost } from './hosting/host.js';
export type { ExceptionBehavior, HostingOptions } from './hosting/hosting.options.js';
export { ApplicationLifetime } from './hosting/lifetime.js';
export type { RestartOptions } from './hosting/restart-policy.js';
export type { ServiceHandle } from './hosting/service-handle.js';
export type { ScheduleChange, TickRecord } from './hosting/service-runner.js';
export { serviceTransitions, type ServiceState } from './hosting/service-state.js';
export { BackgroundModule } from './nest/background.module.js';
export type { BackgroundModuleOptions } from './nest/background.options.js';
export {
  BackgroundService,
  getTaskQueueToken,
  HostedService,
  InjectBackgroundContext,
  InjectTaskQueue,
} from './nest/decorators.js';
export type { HostedServiceOptions } from './nest/metadata.js';
export { TaskHandler } from './nest/task-handler.js';
export { runUntilStopped } from './nest/run-until-stopped.js';
export type { BackgroundServiceOptions } from './scheduling/background-service.options.js';
export { BackgroundContext } from './scopes/background-context.js';
export type { TaskContext, TickContext, WorkWrapper } from './scopes/context.js';
export type { Discard, RetryAfter, TaskOutcome } from './scopes/task-outcome.js';
export { ServiceScopeFactory, type ScopeToken, type ServiceScope } from './scopes/scope.js';
export type { RetryOptions } from './tasks/retry-policy.js';
export {
  defineTask,
  type AnyTaskDefinition,
  type PayloadOf,
  type ResultOf,
  type TaskDefinition,
  type TaskDefinitionOptions,
} from './tasks/task-definition.js';
export type { BackgroundEngine, EngineDependencies } from './tasks/background-engine.js';
export { OptionsReader } from './options-reader.js';
export { storedEngine, type StoredEngineOptions } from './tasks/stored-background-engine.js';
export {
  readStoreOptions,
  storeDefaults,
  storeKeys,
  type ResolvedStoreOptions,
  type StoreOptions,
} from './tasks/store.options.js';
export { DeliveredRuns, type DeliveredOutcome, type TakenDelivery } from './tasks/delivered-runs.js';
export { DequeueLine } from './tasks/dequeue-line.js';
export { toErrorRecord } from './tasks/error-record.js';
export { enqueueInOrder, enqueueTogether } from './tasks/enqueue-many.js';
export { RoomWaiters } from './tasks/room-waiters.js';
export { StoredHandle, type StoredTaskOwner } from './tasks/stored-handle.js';
export { StoredResults, type SettledOutcome } from './tasks/stored-results.js';
export { toNewTask } from './tasks/stored-task.js';
export type { TaskLog } from './tasks/task-log.js';
export { WaitList } from './tasks/wait-list.js';
export { DurableTaskQueue } from './tasks/durable-task-queue.js';
export { memoryEngine } from './tasks/memory-background-engine.js';
export type {
  EngineCapabilities,
  EngineFeature,
  EnqueueRequest,
  LeftWork,
  QueueEngine,
  TypedTask,
} from './tasks/queue-engine.js';
export {
  endStates,
  type EndState,
  type ResolvedRetention,
  type RetentionLimit,
  type RetentionOptions,
} from './tasks/retention.js';
export type {
  AttemptRecord,
  ErrorRecord,
  HoldReason,
  TaskCounts,
  TaskDetails,
  TaskFilter,
  TaskLogLine,
  TaskPage,
  TaskProgress,
  TaskQuery,
  TaskRecord,
} from './tasks/task-record.js';
export type {
  CancelResult,
  ClaimedTask,
  ClaimRequest,
  ClaimResult,
  Deduplication,
  DroppedTask,
  Heartbeat,
  InsertOutcome,
  Look,
  NewTask,
  QueueBound,
  RecoveryResult,
  RetentionRule,
  Settlement,
  StoredAttempt,
  StoredPage,
  TaskEnd,
  TaskEnds,
  TaskNotes,
  TasksLook,
  TaskStorage,
  TellFailure,
  WorkerId,
  WorkerSign,
} from './tasks/task-storage.js';
export {
  passes,
  resolveTaskFilter,
  resolveTaskQuery,
  toCursor,
  type ResolvedTaskFilter,
  type ResolvedTaskQuery,
} from './tasks/task-query.js';
export { TaskQueue } from './tasks/task-queue.js';
export {
  taskTransitions,
  type DequeuedTask,
  type TaskHandle,
  type TaskResult,
  type TaskState,
  type TaskWork,
} from './tasks/task.js';
export type { ConcurrencyOptions, DeduplicationOptions, EnqueueOptions } from './tasks/enqueue.options.js';
export type {
  FullMode,
  RateLimitOptions,
  ResolvedQueueOptions,
  TaskQueueOptions,
} from './tasks/queue.options.js';
export {
  ArgumentOutOfRangeError,
  constant,
  exponential,
  InvalidOptionsError,
  linear,
  NightshiftError,
  PeriodicTimer,
  systemClock,
  UnknownOptionError,
  type Backoff,
  type Clock,
  type Duration,
} from 'nestjs-nightshift/channels';
