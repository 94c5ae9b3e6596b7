import { describe, expect, it } from 'vitest';
import { BackgroundContext, isInsideBackgroundWork, runInside } from './background-context.js';
import type { TickContext } from './context.js';

const look = async (): Promise<[unknown, boolean]> => {
  await Promise.resolve();
  return [BackgroundContext.current(), isInsideBackgroundWork()];
};

describe('BackgroundContext', () => {
  it('is the context of the tick or task, however deep, inside it', async () => {
    const context = { id: 'tick' } as TickContext;
    expect(await runInside(context, async () => look())).toEqual([context, true]);
  });

  it('is nothing in a long-running service, which is background work all the same', async () => {
    expect(await runInside(undefined, look)).toEqual([undefined, true]);
  });

  it('is nothing outside', async () => {
    expect(await look()).toEqual([undefined, false]);
  });

  it('is that of the inner one when one is started inside another', async () => {
    const [outer, inner] = [{ id: 'outer' } as TickContext, { id: 'inner' } as TickContext];
    const found = await runInside(outer, async () => [await runInside(inner, look), await look()]);
    expect(found).toEqual([
      [inner, true],
      [outer, true],
    ]);
  });
});
