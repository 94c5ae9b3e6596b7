import { getEventListeners } from 'node:events';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { gate } from '../gate.fixture.js';
import type { HostedService } from './hosted-service.js';
import { StopSequence, stopHooks } from './stop-sequence.js';

function setup(hooks: Partial<HostedService> = {}) {
  const told: string[] = [];
  const sequence = new StopSequence(hooks, {
    begun: (hook) => void told.push(`begun ${hook}`),
    ended: (hook) => void told.push(`ended ${hook}`),
    failed: (error) => void told.push(`failed: ${(error as Error).message}`),
    endedLate: () => void told.push('ended late'),
  });
  return { sequence, told };
}

/** Lets a few turns of the event loop pass. */
const turns = () => new ManualClock().advance(0);

const { signal: never } = new AbortController();

describe('StopSequence', () => {
  it('has begun with its first hook, and is over with its last', async () => {
    const { sequence, told } = setup();
    expect([sequence.hasBegun, sequence.isOver]).toEqual([false, false]);
    for (const hook of stopHooks) {
      await sequence.run(hook, never);
      expect([sequence.hasBegun, sequence.isOver]).toEqual([true, hook === 'stopped']);
    }
    expect(told.join(', ')).toBe(
      'begun stopping, ended stopping, begun stop, ended stop, begun stopped, ended stopped',
    );
    await sequence.run('stop', never);
    expect([told.length, sequence.isOver]).toEqual([6, true]);
  });

  it('has one run of a hook for all who ask, and rejects for those who asked before its end', async () => {
    const { opened, open } = gate();
    const { sequence, told } = setup({ stop: () => opened.then(() => Promise.reject(new Error('no'))) });
    const asked = [sequence.run('stop', never), sequence.run('stop', never)];
    open();
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
    await sequence.run('stop', never);
    expect(told).toEqual(['begun stop', 'failed: no', 'ended stop']);
  });

  it('gives a hook up at the earliest deadline of those who ask, with its reason, and names it', async () => {
    const { opened, open } = gate();
    const reasons: unknown[] = [];
    const stop = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return opened;
    };
    const { sequence, told } = setup({ stop });
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [sequence.run('stop', first.signal), sequence.run('stop', second.signal)];
    second.abort('second');
    first.abort('first');
    await Promise.all(asked);
    expect(reasons).toEqual(['second']);
    expect(sequence.hanging).toEqual(['stop()']);
    open();
    await turns();
    expect(sequence.hanging).toEqual([]);
    expect(told).toEqual(['begun stop', 'ended stop', 'ended late']);
  });

  it('is in a hurry from the beginning when the deadline of who asks has passed', async () => {
    const seen: unknown[] = [];
    const { sequence } = setup({ stop: (signal) => void seen.push(signal.reason) });
    await sequence.run('stop', AbortSignal.abort('late'));
    expect(seen).toEqual(['late']);
  });

  it('leaves no listener on the signals of those who asked', async () => {
    const { sequence } = setup({ stop: () => Promise.reject(new Error('no')) });
    const { signal } = new AbortController();
    for (const hook of stopHooks) await sequence.run(hook, signal).catch(() => {});
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
