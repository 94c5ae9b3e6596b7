import { types } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

type TypeId = Parameters<typeof types.getTypeParser>[0];

/** For the rest of the test `pg` reads this type otherwise, everywhere in the process. */
function readOtherwise(type: number, parse: (text: string) => unknown): void {
  const usual = types.getTypeParser(type as TypeId) as (text: string) => unknown;
  types.setTypeParser(type as TypeId, parse);
  onTestFinished(() => types.setTypeParser(type as TypeId, usual));
}

const text = (value: string): string => value;

await describeWithService(postgres, 'an application that has told pg how to read values', (url) => {
  it.each<[string, Readonly<Record<number, (value: string) => unknown>>]>([
    ['json as text', { 114: text, 3802: text }],
    ['numbers as bigint', { 20: BigInt, 21: BigInt, 23: BigInt, 1016: text }],
    [
      'everything as text',
      Object.fromEntries([16, 20, 23, 25, 114, 701, 1009, 1016, 1700, 3802].map((id) => [id, text])),
    ],
    ['texts as objects', { 25: (value) => ({ value }), 1009: (value) => ({ value }) }],
  ])('has tasks run and looks at them all the same, with %s', async (_, parsers) => {
    const schemas = newSchemas(url);
    for (const [type, parse] of Object.entries(parsers)) readOtherwise(Number(type), parse);
    const { queue, admin } = await startApplication(schemas, {
      handle: ({ cake }, context) => {
        context.log(`baking ${cake}`);
        if (cake === 'stone') throw new Error('stone is hard');
        return cake;
      },
    });
    const options = { tags: ['sweet', 'a "b", {c}'], metadata: { oven: 7 } };
    const task = await queue.enqueue(bake, { cake: 'sponge' }, options);
    expect(await task.result()).toBe('sponge');
    const dead = await queue.enqueue(
      bake,
      { cake: 'stone' },
      { delay: 1, retry: { maxAttempts: 1 }, concurrencyKey: 'oven' },
    );
    await expect(dead.result()).rejects.toThrow('stone is hard');
    expect(await admin.counts('default')).toMatchObject({ completed: 1, dead: 1 });
    expect(await admin.task('default', task.id)).toMatchObject({ ...options, result: 'sponge', log: [{}] });
    expect((await admin.task('default', dead.id))?.attempts).toMatchObject([
      { attempt: 1, outcome: 'failed' },
    ]);
    expect(await admin.removeTasks('default', {})).toBe(2);
  });
});
