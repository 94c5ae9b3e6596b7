import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

const cake = { cake: 'sponge' };

await describeWithService(postgres, 'schemas with odd names', (url) => {
  it.each([`it's`, `"quoted"`, 'a$b', '$', 'a$&b', `a\\b`, 'a-b.c', 'Of Two Words', 'é'])(
    'work when a name ends with %s',
    async (end) => {
      const schemas = newSchemas(url);
      const schema = `${schemas.name} ${end}`;
      // What graphile-worker makes of such signs is its own affair.
      const graphile = end.includes('$&') ? 'none' : ({ schema: `${schemas.graphile} ${end}` } as const);
      onTestFinished(async () => {
        for (const name of [schema, `${schemas.graphile} ${end}`])
          await schemas.query(`DROP SCHEMA IF EXISTS "${name.replaceAll('"', '""')}" CASCADE`);
      });
      const queue = { capacity: 100, rateLimit: { max: 100, per: '1s' } } as const;
      const app = await startApplication(schemas, { queue, engine: { schema, graphile } });
      const options = { deduplicationKey: 'tin', concurrencyKey: 'oven' };
      expect(await (await app.queue.enqueue(bake, cake, options)).result()).toBe('sponge, baked');
      expect(await app.admin.counts('default')).toMatchObject({ completed: 1 });
      await app.close();
    },
  );
});
