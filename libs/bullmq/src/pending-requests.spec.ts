import { ManualClock } from 'nestjs-nightshift/testing';
import { expect, it, vi } from 'vitest';
import { PendingRequests } from './pending-requests.js';

function setup() {
  const clock = new ManualClock();
  const onSilent = vi.fn<() => void>();
  const requests = new PendingRequests(1_000, clock, onSilent);
  return { clock, onSilent, requests };
}

/** Until whatever an event of the clock has put off to this turn of the event loop is done. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const never = () => new Promise<never>(() => {});

it('passes on what comes, and what fails', async () => {
  const { requests } = setup();
  await expect(requests.send('ask', () => Promise.resolve('yes'))).resolves.toBe('yes');
  await expect(requests.send('ask', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

it('says when an answer has taken too long, however many came meanwhile', async () => {
  const { clock, onSilent, requests } = setup();
  await clock.advance(700);
  void requests.send('ask', never);
  for (let i = 0; i < 9; i += 1) {
    await clock.advance(100);
    await requests.send('ask', () => Promise.resolve());
    await turn();
  }
  expect(onSilent).not.toHaveBeenCalled();
  await clock.advance(100);
  await turn();
  expect(onSilent).toHaveBeenCalledOnce();
});

it('says nothing when all was answered in time', async () => {
  const { clock, onSilent, requests } = setup();
  for (let i = 0; i < 5; i += 1) {
    await requests.send('ask', () => Promise.resolve());
    await clock.advance(900);
    await turn();
  }
  expect(onSilent).not.toHaveBeenCalled();
});

it('takes the answers first that are there when the process has stood still', async () => {
  const { clock, onSilent, requests } = setup();
  const answered = requests.send('ask', () => turn());
  const advanced = clock.advance(5_000);
  await Promise.all([answered, advanced]);
  await turn();
  expect(onSilent).not.toHaveBeenCalled();
});

it('rejects all that wait, each with an error of its own, and none of those that come later', async () => {
  const { requests } = setup();
  const asked = ['one', 'two'].map((during) => requests.send(during, never));
  requests.rejectAll((during) => new Error(`no ${during}`));
  for (const [i, during] of ['one', 'two'].entries()) await expect(asked[i]).rejects.toThrow(`no ${during}`);
  await expect(requests.send('three', () => Promise.resolve(3))).resolves.toBe(3);
});

it('leaves no timer behind', () => {
  const { clock, requests } = setup();
  void requests.send('ask', never);
  requests.close();
  expect(clock.pendingTimers).toBe(0);
});
