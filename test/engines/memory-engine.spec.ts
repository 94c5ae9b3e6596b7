import { memoryEngine } from 'nestjs-nightshift';
import { queueEngineContract } from 'nestjs-nightshift/testing';
import { describe, it } from 'vitest';

describe('the engine in memory', () => {
  const cases = queueEngineContract({
    capabilities: memoryEngine().capabilities,
    clock: 'manual',
    createStore: () => ({ createEngine: () => memoryEngine() }),
  });
  // oxlint-disable-next-line vitest/expect-expect -- the cases do
  it.each(cases)('$name', ({ run }) => run());
});
