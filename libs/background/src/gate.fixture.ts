import type { ManualClock } from 'nestjs-nightshift/testing';

/** Something that code under test waits at, until the test opens it. */
export function gate<T = void>() {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => (open = resolve));
  return { opened, open };
}

/** Whether a promise has come to its end, once everything that can happen now has happened. */
export async function isSettled(promise: Promise<unknown>, clock: ManualClock): Promise<boolean> {
  const progress = { settled: false };
  const note = (): void => void (progress.settled = true);
  promise.then(note, note);
  await clock.advance(0);
  return progress.settled;
}
