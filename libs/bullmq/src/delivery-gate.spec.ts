import { ManualClock } from 'nestjs-nightshift/testing';
import type { ClaimedTask } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import { DeliveryGate } from './delivery-gate.js';

const leaseMs = 1_000;

function setup() {
  const clock = new ManualClock();
  /** What the server was asked, and how it answers. */
  const asked: { readonly script: string; answer(value: number): void }[] = [];
  const session = {
    options: { leaseMs },
    now: () => clock.now(),
    run: (script: string) =>
      new Promise<number>((resolve) => asked.push({ script, answer: (value) => resolve(value) })),
  };
  const handlers = { definition: () => ({}) };
  const gate = new DeliveryGate(
    { name: 'mail' } as never,
    { clock, handlers } as never,
    session as never,
    { base: 'bull:mail:' } as never,
  );
  const deliver = (id: string, concurrencyKey?: string): unknown =>
    gate.answer(
      { attemptsStarted: 1, opts: {} } as never,
      { id, definition: 'send', concurrencyKey } as ClaimedTask,
      'mine',
    );
  /** Resolves when the server is asked this. */
  const untilAsked = async (script: string): Promise<(typeof asked)[number]> => {
    await expect.poll(() => asked.some((each) => each.script === script)).toBe(true);
    const index = asked.findIndex((each) => each.script === script);
    return asked.splice(index, 1)[0]!;
  };
  return { clock, asked, deliver, untilAsked };
}

it('begins a task in its turn, without asking again, when the server answers in time', async () => {
  const { asked, deliver, untilAsked } = setup();
  const [keyed, plain] = [deliver('a', 'ada'), deliver('b')];
  (await untilAsked('acquire')).answer(1);
  expect(await keyed).toBe('goes');
  expect(await plain).toBe('goes');
  expect(asked).toEqual([]);
});

it('does not begin a task that others were given while the server did not answer, nor one that waited for its turn', async () => {
  const { clock, deliver, untilAsked } = setup();
  const [keyed, plain] = [deliver('a', 'ada'), deliver('b')];
  const acquired = await untilAsked('acquire');
  await clock.advance(leaseMs);
  acquired.answer(1);
  (await untilAsked('isOurs')).answer(1);
  expect(await keyed).toBe('goes');
  (await untilAsked('isOurs')).answer(0);
  expect(await plain).toBeUndefined();
});
