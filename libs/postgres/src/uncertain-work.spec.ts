import type { Settlement } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import type { Database } from './database.js';
import { UncertainWork } from './uncertain-work.js';

const settlement = (claim: number): Settlement => ({
  queue: 'default',
  id: '7-abc',
  claim,
  atMs: 1,
  state: 'retrying',
  isKept: true,
  concurrencyKey: undefined,
});

/** On a store that has whatever it is asked for. */
function setup(): UncertainWork {
  return new UncertainWork({
    schema: 's',
    query: () => Promise.resolve([{ is_stored: true }]),
  } as unknown as Database);
}

it('asks for what was lost, and for nothing else', async () => {
  const work = setup();
  expect(await work.storedAmong([settlement(1)])).toEqual([]);
  work.settlementLost(settlement(1));
  expect(await work.storedAmong([settlement(1)])).toEqual([7]);
  work.settled(settlement(1));
  expect(await work.storedAmong([settlement(1)])).toEqual([]);
});

it('still knows what was lost of an attempt when the next one has ended before that is told again', async () => {
  const work = setup();
  work.settlementLost(settlement(1));
  work.settled(settlement(2));
  expect(await work.storedAmong([settlement(1)])).toEqual([7]);
});
