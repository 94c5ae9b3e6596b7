import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, vi } from 'vitest';
import { UnstorableOutcomeError } from '../errors.js';
import { OutcomeWriter } from './outcome-writer.js';
import type { StoreSession } from './store-session.js';
import type { Settlement, TaskStorage } from './task-storage.js';

function setup() {
  const clock = new ManualClock();
  const settle = vi.fn<TaskStorage['settle']>().mockRejectedValue(new Error('the disk is full'));
  const fail = vi.fn<StoreSession['fail']>();
  // All that it needs of a session.
  const session = { storage: { settle }, fail } as unknown as StoreSession;
  const settlement: Settlement = { queue: 'q', id: '1', claim: 1, atMs: 0, state: 'completed', isKept: true };
  const bare: Settlement = { ...settlement, error: { name: 'Error', message: 'too large' } };
  const instead = vi.fn<() => Settlement>().mockReturnValue(bare);
  return { clock, settle, fail, settlement, bare, instead, outcomes: new OutcomeWriter(session, clock) };
}

describe('OutcomeWriter', () => {
  it('tries again, less and less often, until the store has it', async () => {
    const { clock, settle, fail, settlement, instead, outcomes } = setup();
    const written = outcomes.write(settlement, instead);
    await clock.advance(100);
    await clock.advance(199);
    expect(settle).toHaveBeenCalledTimes(2);
    expect(outcomes.isIdle).toBe(false);
    settle.mockResolvedValueOnce(true);
    await clock.advance(1);
    expect(await written).toBe(true);
    expect(fail).toHaveBeenCalledTimes(2);
    expect(outcomes.isIdle).toBe(true);
  });

  it('says when others have the task', async () => {
    const { settle, settlement, instead, outcomes } = setup();
    settle.mockResolvedValueOnce(false);
    expect(await outcomes.write(settlement, instead)).toBe(false);
  });

  it('writes something else at once when the store does not take what is in it', async () => {
    const { settle, settlement, bare, instead, outcomes } = setup();
    const refused = new UnstorableOutcomeError('1', { cause: new Error('too large') });
    settle.mockRejectedValueOnce(refused).mockResolvedValueOnce(true);
    expect(await outcomes.write(settlement, instead)).toBe(true);
    expect(instead).toHaveBeenCalledExactlyOnceWith(refused);
    expect(settle).toHaveBeenLastCalledWith(bare);
  });

  it('gives up, and says so, when the store does not take that either', async () => {
    const { settle, fail, settlement, instead, outcomes } = setup();
    settle.mockRejectedValue(new UnstorableOutcomeError('1', { cause: new Error('too large') }));
    expect(await outcomes.write(settlement, instead)).toBeUndefined();
    expect(fail).toHaveBeenCalledOnce();
    expect(outcomes.isIdle).toBe(true);
  });

  it('leaves nothing behind when it is given up', async () => {
    const { clock, settlement, instead, outcomes } = setup();
    const written = outcomes.write(settlement, instead);
    await clock.advance(0);
    outcomes.giveUp();
    expect(await written).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});
