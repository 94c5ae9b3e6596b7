export { HammeredServiceError } from './errors.js';
export { hammerHostedService, type HammerOptions } from './hosted-service-hammer.js';
export { ManualClock, type Instant, type ManualClockOptions } from './manual-clock.js';
export type { ContractCase } from './engine-contract/contract-case.js';
export type { EngineStore, QueueEngineContractSetup } from './engine-contract/contract-setup.js';
export { queueEngineContract } from './engine-contract/queue-engine-contract.js';
