import { defineTask, exponential } from 'nestjs-nightshift';
import { newCustomer } from './customer.js';

/** A mail server that is restarted is back within the half minute for which this is tried. */
export const sendWelcome = defineTask('send-welcome', {
  payload: newCustomer,
  queue: 'mail',
  retry: { maxAttempts: 8, backoff: exponential({ initial: '200ms', factor: 2, jitter: 0.2 }) },
});
