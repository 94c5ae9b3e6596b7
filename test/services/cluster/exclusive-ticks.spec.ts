import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Child } from '../../processes/child.js';
import { runs } from '../../long-runs.js';
import { longestMs, type Cluster } from './cluster.js';
import { describeOnEachEngine } from './each-engine.js';
import { random, seed } from './seed.js';
import { readTicks } from './tick-journal.js';

const processes = 3;
const kills = runs(4);
const rota = { everyMs: 1_000, lastsMs: 200 };

/** Resolves with the process that begins a tick next. */
function nextToTick(children: readonly Child[]): Promise<Child> {
  return Promise.race(children.map((child) => child.nextLine('tick').then(() => child)));
}

/** Processes of which one after the other is killed, in the middle of a tick or at a random moment. @returns those that live */
async function killMany(cluster: Cluster): Promise<readonly Child[]> {
  let living = await Promise.all(Array.from({ length: processes }, () => cluster.start(rota)));
  for (let number = 0; number < kills; number += 1) {
    let victim = await nextToTick(living);
    if (number % 2 === 1) {
      await sleep(random(number) * rota.everyMs);
      victim = living[number % processes]!;
    }
    await cluster.kill(victim);
    const replacement = await cluster.start(rota);
    living = living.map((child) => (child === victim ? replacement : child));
  }
  return living;
}

await describeOnEachEngine('exclusive ticks of a cluster', ({ name, openCluster }) => {
  it(
    'run once for each occurrence, and again only when the process that ran them was killed',
    async () => {
      await using cluster = await openCluster({ app: 'rota', lease: '1s' });
      const living = await killMany(cluster);
      await nextToTick(living);
      await Promise.all(living.map((child) => cluster.stop(child)));
      const { faults, ...counts } = readTicks(cluster.journal.path, rota.everyMs);
      const { completed, begunAgain, cutShort, unseen } = counts;
      console.log(
        `${name}, exclusive ticks (seed ${seed}): completed once ${completed}, kills ${kills}, begun again ${begunAgain}, ` +
          `cut short ${cutShort}, begun by nobody ${unseen}`,
      );
      expect({ seed, faults }).toEqual({ seed, faults: [] });
      expect(completed).toBeGreaterThan(0);
      expect(begunAgain + cutShort).toBeLessThanOrEqual(kills);
    },
    longestMs + kills * 4_000,
  );
});
