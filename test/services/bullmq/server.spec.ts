import { NestFactory } from '@nestjs/core';
import { systemClock } from 'nestjs-nightshift/channels';
import {
  BackgroundEvents,
  BackgroundModule,
  defineTask,
  TaskHandler,
  TaskQueue,
  type BackgroundEvent,
} from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Gateway, openGateway } from '../gateway.js';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys, withClient } from './redis.js';

class Root {
  readonly name = 'root';
}

const greet = defineTask<string, string>('greet');

class Greeter {
  handle(name: string): string {
    return `hello ${name}`;
  }
}
TaskHandler(greet)(Greeter);

function dependencies() {
  const told: BackgroundEvent[] = [];
  const events = new BackgroundEvents(systemClock);
  events.stream.subscribe((event) => told.push(event));
  return { told, dependencies: { clock: systemClock, events } as never };
}

describe('a server that is not there', () => {
  it('ends the start with an error that says what to do', async () => {
    const engine = bullmqEngine({ connection: 'redis://127.0.0.1:1', patience: '200ms' });
    const opened = engine.open(dependencies().dependencies);
    await expect(opened).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
      server: '127.0.0.1:1',
      message: expect.stringMatching(/within 200 ms .*Is it running/) as string,
    });
    await engine.close();
  });
});

await describeWithService(redis, 'a server that goes away and comes back', (url) => {
  it('is told once, bounds every wait, and is used again when it is back', async () => {
    const prefix = freshPrefix();
    await using between = await Gateway.open(url);
    const { told, dependencies: given } = dependencies();
    const engine = bullmqEngine({ connection: between.url, prefix, patience: '300ms', pollInterval: '50ms' });
    await engine.open(given);
    const { occurrences } = engine;
    expect(await occurrences!.latest('x')).toBeUndefined();

    await between.close();
    await vi.waitFor(() => expect(told.some(({ type }) => type === 'engine.failed')).toBe(true));
    await expect(occurrences!.latest('x')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(told.filter(({ type }) => type === 'engine.failed')).toHaveLength(1);

    await between.reopen();
    await vi.waitFor(async () => expect(await occurrences!.latest('x')).toBeUndefined(), { timeout: 5_000 });
    await engine.close();
    await removeKeys(url, prefix);
  });
});

await describeWithService(redis, 'a server that falls silent', (url) => {
  const setup = async () => {
    const prefix = freshPrefix();
    const between = await openGateway(url);
    const engine = bullmqEngine({ connection: between.url, prefix, patience: '400ms', pollInterval: '25ms' });
    const root = { module: Root, imports: [BackgroundModule.forRoot({ engine })], providers: [Greeter] };
    const app = await NestFactory.createApplicationContext(root, { logger: false });
    onTestFinished(async () => {
      await app.close();
      await removeKeys(url, prefix);
    });
    const failures: unknown[] = [];
    app.get(BackgroundEvents).on('engine.failed', ({ error }) => failures.push(error));
    return { app, between, failures, queue: app.get(TaskQueue) };
  };

  it('is told once, bounds every wait, and is used again over another connection', async () => {
    const { between, failures, queue } = await setup();
    const delayed = await queue.enqueue(greet, 'Ada', { delay: '50ms' }); // so that the worker has to wait for it, and is connected
    expect(await delayed.result()).toBe('hello Ada');
    between.silence();
    await expect(queue.enqueue(greet, 'Bob')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    await expect(queue.enqueue(greet, 'Cid')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(failures).toMatchObject([{ code: 'REDIS_UNREACHABLE' }]);
    between.speak();
    const handle = await vi.waitFor(() => queue.enqueue(greet, 'Dan'), { timeout: 10_000 });
    expect(await vi.waitFor(() => handle.result(), { timeout: 20_000 })).toBe('hello Dan');
  });

  it('does not keep an application from closing', async () => {
    const { app, between } = await setup();
    between.silence();
    await expect(app.close()).resolves.toBeUndefined();
  });
});

await describeWithService(redis, 'a pause that the server did not hear of', (url) => {
  it('rejects, and hinders none that comes later', async () => {
    const prefix = freshPrefix();
    await using between = await Gateway.open(url);
    const queueOf = async (connection: string) => {
      const engine = bullmqEngine({ connection, prefix, patience: '300ms', pollInterval: '25ms' });
      const imports = [BackgroundModule.forRoot({ engine })];
      const app = await NestFactory.createApplicationContext({ module: Root, imports }, { logger: false });
      onTestFinished(() => app.close());
      return app.get(TaskQueue);
    };
    const [here, elsewhere] = [await queueOf(between.url), await queueOf(url)];

    await between.close();
    await expect(here.pause()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    await between.reopen();
    await here.resume();
    await elsewhere.pause();
    await vi.waitFor(() => expect(here.isPaused).toBe(true));
    await elsewhere.resume();
    await vi.waitFor(() => expect(here.isPaused).toBe(false));
    onTestFinished(() => removeKeys(url, prefix));
  });
});

/** A user of the server who may do what the words of `ACL SETUSER` say. Is gone after the test. */
async function createUser(url: string, ...words: string[]): Promise<{ name: string; url: string }> {
  const name = freshPrefix();
  const acl = (...all: string[]): Promise<unknown> =>
    withClient(url, (client) => client.runCommand('acl', all));
  await acl('SETUSER', name, 'on', '>secret', ...words);
  onTestFinished(async () => void (await acl('DELUSER', name)));
  return { name, url: Object.assign(new URL(url), { username: name, password: 'secret' }).href };
}

/** What the start ends with, if anything. */
async function refusal(connection: string, prefix = freshPrefix()): Promise<unknown> {
  const engine = bullmqEngine({ connection, prefix, patience: '1h' });
  const error: unknown = await engine.open(dependencies().dependencies).catch((thrown: unknown) => thrown);
  await engine.close();
  return error;
}

await describeWithService(redis, 'a server that refuses', (url) => {
  it('a password ends the start at once', async () => {
    const { url: right } = await createUser(url, '~*', '+@all');
    const wrong = Object.assign(new URL(right), { password: 'guessed' }).href;
    expect(await refusal(wrong)).toMatchObject({
      code: 'REDIS_REFUSED',
      message: expect.stringMatching(/WRONGPASS.*user name and password in `connection`/) as string,
    });
  });

  it('scripts, or the keys under `prefix`, ends it too', async () => {
    const { url: scriptless } = await createUser(url, '~*', '+@all', '-@scripting');
    expect(await refusal(scriptless)).toMatchObject({ code: 'REDIS_REFUSED' });
    const { name, url: elsewhere } = await createUser(url, '~others:*', '+@all');
    expect(await refusal(elsewhere, name)).toMatchObject({
      code: 'REDIS_REFUSED',
      message: expect.stringMatching(/all keys under `prefix`, and scripts/) as string,
    });
    expect(await refusal(elsewhere, 'others')).toBeUndefined();
  });

  it('the database ends it, and nothing goes into another', async () => {
    const beyond = Object.assign(new URL(url), { pathname: '/99999' }).href;
    expect(await refusal(beyond)).toMatchObject({
      code: 'REDIS_REFUSED',
      message: expect.stringMatching(
        /DB index is out of range\. Look at the number of the database/,
      ) as string,
    });
  });
});

await describeWithService(redis, 'a server that does not tell its settings', (url) => {
  it('is used all the same, with a warning', async () => {
    const { name, url: connection } = await createUser(url, '~*', '&*', '+@all', '-config');
    const { told, dependencies: given } = dependencies();
    const engine = bullmqEngine({ connection, prefix: name });
    await engine.open(given);
    expect(await engine.occurrences!.latest('x')).toBeUndefined();
    expect(told).toMatchObject([{ type: 'host.warning', code: 'REDIS_UNCHECKED' }]);
    await engine.close();
  });
});
