import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../test/long-runs.js';
import { commands } from './channel-commands.fixture.js';
import type { Kind } from './channel-model.fixture.js';
import { play } from './channel-play.fixture.js';

const dropModes = ['dropOldest', 'dropNewest', 'dropWrite'] as const;
const kindOf = (kind: Partial<Kind>): Kind => ({
  capacity: Infinity,
  fullMode: 'wait',
  isUrgent: false,
  ...kind,
});

/** Each kind is as good as its model: after every step, and at the end. */
async function expectAsModelled(kinds: readonly Kind[], numRuns: number): Promise<void> {
  const property = fc.asyncProperty(fc.constantFrom(...kinds), commands, play);
  await fc.assert(property, { numRuns: runs(numRuns) });
}

describe('a channel does what its model does, whatever is done to it', longTimeout, () => {
  it('C22 C23 C31 C37 C38 C39 C40 C41 C42 C45 when it is bounded and waits', async () => {
    const kinds = [1, 2, 5].map((capacity) => kindOf({ capacity }));
    expect(await expectAsModelled(kinds, 200)).toBeUndefined();
  });

  it('C64 C65 C66 C67 C69 C70 when it is a rendezvous', async () => {
    expect(await expectAsModelled([kindOf({ capacity: 0 })], 150)).toBeUndefined();
  });

  it('C55 C58 when it is unbounded', async () => {
    expect(await expectAsModelled([kindOf({})], 100)).toBeUndefined();
  });

  it('C59 C61 C62 when it has priorities, bounded or not', async () => {
    const kinds = [1, 2, 4, Infinity].map((capacity) => kindOf({ capacity, isUrgent: true }));
    expect(await expectAsModelled(kinds, 200)).toBeUndefined();
  });

  it('C46 C47 C48 C49 C50 C68 when it drops', async () => {
    const kinds = dropModes.flatMap((fullMode) => [
      ...[0, 1, 2, 4].map((capacity) => kindOf({ capacity, fullMode })),
      ...[1, 2, 4].map((capacity) => kindOf({ capacity, fullMode, isUrgent: true })),
    ]);
    expect(await expectAsModelled(kinds, 250)).toBeUndefined();
  });
});
