import { onTestFinished } from 'vitest';

/** What would end the process as an uncaught exception, until the test is over. */
export function collectUncaught(): readonly Error[] {
  const errors: Error[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => errors.push(error));
  onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
  return errors;
}
