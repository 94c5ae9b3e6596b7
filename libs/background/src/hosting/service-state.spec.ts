import { describe, expect, it } from 'vitest';
import { serviceTransitions } from './service-state.js';

describe('serviceTransitions', () => {
  it('names as a next state only states that it has, and never the same one', () => {
    const states = Object.keys(serviceTransitions);
    for (const [state, next] of Object.entries(serviceTransitions)) {
      expect(states).toEqual(expect.arrayContaining([...next]));
      expect(next).not.toContain(state);
    }
  });

  it('leads to every state from idle', () => {
    const reached = new Set(['idle']);
    for (const state of reached) {
      for (const next of serviceTransitions[state as keyof typeof serviceTransitions]) reached.add(next);
    }
    expect([...reached].toSorted()).toEqual(Object.keys(serviceTransitions).toSorted());
  });
});
