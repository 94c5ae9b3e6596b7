export { ManualClock, type Instant, type ManualClockOptions } from './manual-clock.js';
