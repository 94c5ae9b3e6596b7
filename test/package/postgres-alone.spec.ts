import { expect, inject, it } from 'vitest';
import { postgres, Schemas } from '../services/postgres/postgres.js';
import { describeWithService } from '../services/service.js';
import { Consumer } from './consumer.js';

const tarball = inject('tarball');
const needed = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs', 'cron', 'luxon', 'pg'];

/** Starts and stops an application whose engine has these options. */
const application = (options: object): string => `
  import 'reflect-metadata';
  import { NestFactory } from '@nestjs/core';
  import { BackgroundModule } from 'nestjs-nightshift';
  import { postgresEngine } from 'nestjs-nightshift/postgres';

  class Root {}
  const imports = [BackgroundModule.forRoot({ engine: postgresEngine(${JSON.stringify(options)}) })];
  try {
    const app = await NestFactory.createApplicationContext({ module: Root, imports }, { logger: false, abortOnError: false });
    await app.close();
    console.log('started and stopped');
  } catch ({ code, message }) {
    console.log(code, message);
  }`;

await describeWithService(postgres, 'the engine on PostgreSQL without graphile-worker', (url) => {
  it.each([
    ['says what to install', undefined, /^GRAPHILE_WORKER_MISSING .*npm install graphile-worker/],
    ["works when it is told that there is 'none'", 'none', /^started and stopped$/],
  ])('%s', async (_, graphile, expected) => {
    await using schemas = new Schemas(url);
    await using consumer = await Consumer.install(tarball, needed);
    const options = { connectionString: url, schema: schemas.name, graphile };
    const ran = await consumer.node('--input-type=module', '-e', application(options));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout.trim()).toMatch(expected);
  });
});
