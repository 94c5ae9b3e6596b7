import { postgresEngine } from 'nestjs-nightshift/postgres';
import { queueEngineContract } from 'nestjs-nightshift/testing';
import { it } from 'vitest';
import { describeWithService } from '../service.js';
import { postgres, Schemas } from './postgres.js';

await describeWithService(postgres, 'the engine on PostgreSQL', (url) => {
  const cases = queueEngineContract({
    capabilities: postgresEngine({ connectionString: url }).capabilities,
    clock: 'system',
    within: '8s',
    recovery: '6s',
    createStore: () => {
      const schemas = new Schemas(url);
      return {
        createEngine: () =>
          postgresEngine({
            connectionString: url,
            schema: schemas.name,
            graphile: 'none',
            lease: '2s',
            pollInterval: '25ms',
          }),
        remove: () => schemas[Symbol.asyncDispose](),
      };
    },
  });
  // oxlint-disable-next-line vitest/expect-expect -- the cases do
  it.concurrent.each(cases)('$name', ({ run }) => run(), 30_000);
});
