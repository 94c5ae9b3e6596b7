export { HammeredServiceError } from './errors.js';
export { hammerHostedService, type HammerOptions } from './hosted-service-hammer.js';
export { ManualClock, type Instant, type ManualClockOptions } from './manual-clock.js';
