import { ManualClock } from 'nestjs-nightshift/testing';
import { expect, it } from 'vitest';
import { DeadWorkers } from './dead-workers.js';
import { processIdentity } from './process-identity.js';

const process = processIdentity();
const own = { worker: 1, beat: 0, process };

function setup() {
  const clock = new ManualClock();
  const dead = new DeadWorkers(clock, 10_000, 2_500);
  /** Who is dead after so long, when another worker shows `beat`. */
  const after = async (ms: number, beat: number) => {
    await clock.advance(ms);
    return dead.among([own, { worker: 2, beat, process }], 1);
  };
  return { clock, dead, after };
}

it('takes a worker for dead that has given no sign for as long as a lease', async () => {
  const { after } = setup();
  expect(await after(0, 7)).toEqual([]);
  for (let times = 1; times < 4; times += 1) expect(await after(2_500, 7)).toEqual([]);
  expect(await after(2_500, 7)).toEqual([2]);
});

it('begins anew with each sign of life', async () => {
  const { after } = setup();
  await after(0, 7);
  for (let times = 0; times < 3; times += 1) await after(2_500, 7);
  expect(await after(2_500, 8)).toEqual([]);
  for (let times = 0; times < 3; times += 1) expect(await after(2_500, 8)).toEqual([]);
  expect(await after(2_500, 8)).toEqual([2]);
});

it('counts only the time in which it was awake itself', async () => {
  const { after } = setup();
  await after(0, 7);
  expect(await after(3_600_000, 7)).toEqual([]);
  expect(await after(2_500, 7)).toEqual([]);
  expect(await after(2_500, 7)).toEqual([2]);
});

it('never takes itself for dead', async () => {
  const { clock, dead } = setup();
  for (let times = 0; times < 9; times += 1) {
    await clock.advance(2_500);
    expect(dead.among([own], 1)).toEqual([]);
  }
});

it('forgets who has gone, so that a number given again begins anew', async () => {
  const { clock, dead, after } = setup();
  await after(0, 7);
  for (let times = 0; times < 3; times += 1) await after(2_500, 7);
  await clock.advance(2_500);
  dead.among([own], 1);
  expect(await after(2_500, 7)).toEqual([]);
});

it.runIf(globalThis.process.platform === 'linux')(
  'knows at once that a process of this machine has ended',
  () => {
    const { dead } = setup();
    const ended = JSON.stringify({ ...(JSON.parse(process) as object), begun: '1' });
    expect(dead.among([own, { worker: 2, beat: 0, process: ended }], 1)).toEqual([2]);
  },
);
