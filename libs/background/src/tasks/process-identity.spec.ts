import { describe, expect, it } from 'vitest';
import { hasCertainlyEnded, processIdentity } from './process-identity.js';

function identity(overrides: object = {}): string {
  return JSON.stringify({ ...(JSON.parse(processIdentity()) as object), ...overrides });
}

/** Beyond what a process can have for a number. */
const noProcess = 2 ** 22 + 1;

describe('hasCertainlyEnded', () => {
  it('says no of this very process', () => {
    expect(hasCertainlyEnded(processIdentity())).toBe(false);
  });

  it.each([
    ['another machine', { host: 'elsewhere', pid: noProcess }],
    ['another container, or another start of the machine', { world: 'another', pid: noProcess }],
    ['a system that tells no world', { world: undefined, pid: noProcess }],
    ['a process that runs, of unknown age', { begun: undefined }],
  ])('says no of %s, as nobody can tell', (_, overrides) => {
    expect(hasCertainlyEnded(identity(overrides))).toBe(false);
  });

  it.each(['', 'nonsense', '{}', '[]', 'null', '7'])('says no of %j, which is no identity', (text) => {
    expect(hasCertainlyEnded(text)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('says yes of a number that no process has', () => {
    expect(hasCertainlyEnded(identity({ pid: noProcess }))).toBe(true);
  });

  it.runIf(process.platform === 'linux')('says yes of a number that another process has by now', () => {
    expect(hasCertainlyEnded(identity({ begun: '1' }))).toBe(true);
  });
});
