import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BackgroundEvents,
  BackgroundHost,
  getTaskQueueToken,
  TaskQueue,
  type BackgroundEvent,
  type BackgroundSnapshot,
  type TaskCounts,
  type TaskDetails,
  type TaskPage,
} from 'nestjs-nightshift';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AppModule } from './app.module.js';
import { CatchAllMailServer } from './mail/catch-all-mail-server.js';
import { Mailer } from './mail/mailer.js';
import type { Order } from './orders/order.js';
import { ShopConfig } from './shop.config.js';
import { OrderReceiver } from './wholesale/order-receiver.js';

/** A shop on a port and a data directory of its own, closed at the end of the block that opened it. */
async function openShop(env: NodeJS.ProcessEnv = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sweet-shop-'));
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(ShopConfig)
    .useValue(new ShopConfig({ SHOP_DATA: dataDir, ...env }))
    .compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  await Promise.all(['OrderCleanup', 'RecipeCache'].map((service) => firstTick(app, service)));
  const url = await app.getUrl();
  const post = (path: string, body?: object): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body ?? {}),
    });
  return {
    app,
    dataDir,
    post,
    get: (path: string): Promise<Response> => fetch(url + path),
    upload: (photo: Uint8Array<ArrayBuffer>, type = 'image/png'): Promise<Response> => {
      const form = new FormData();
      form.set('photo', new Blob([photo], { type }), 'photo');
      return fetch(`${url}/photos`, { method: 'POST', body: form });
    },
    queue: app.get(TaskQueue),
    mailQueue: app.get<TaskQueue>(getTaskQueueToken('mail')),
    async [Symbol.asyncDispose](): Promise<void> {
      await app.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** A tick that is still running at the start would make one that a test triggers be skipped. */
function firstTick(app: INestApplication, service: string): Promise<void> {
  return new Promise((resolve) => {
    if (app.get(BackgroundHost).service(service).lastTick !== undefined) return resolve();
    app.get(BackgroundEvents).on('tick.completed', (tick) => {
      if (tick.service === service) resolve();
    });
  });
}

async function largePhoto(): Promise<Uint8Array<ArrayBuffer>> {
  const photo = sharp({ create: { width: 1000, height: 800, channels: 3, background: 'hotpink' } });
  return new Uint8Array(await photo.png().toBuffer());
}

async function json<T>(response: Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

/** A shop that can be opened again and finds what it had. */
async function durableShop() {
  const directory = await mkdtemp(join(tmpdir(), 'durable-shop-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const env = { SHOP_DATA: directory, NIGHTSHIFT_FILE: join(directory, 'shop.db') };
  return { open: () => openShop(env) };
}

describe('photos', () => {
  it('answers an upload before the photo is made small, and then makes it small', async () => {
    await using shop = await openShop();
    shop.queue.pause();
    const answer = await shop.upload(await largePhoto());
    const location = answer.headers.get('location')!;
    expect(answer.status).toBe(202);
    expect(await json(shop.get(location))).toMatchObject({ state: 'waiting' });
    expect((await shop.get(`${location}/small`)).status).toBe(404);

    shop.queue.resume();
    await shop.queue.whenIdle();
    expect(await json(shop.get(location))).toMatchObject({ state: 'completed' });
    const small = await shop.get(`${location}/small`);
    expect(small.headers.get('content-type')).toBe('image/webp');
    expect(await sharp(await small.arrayBuffer()).metadata()).toMatchObject({ format: 'webp', width: 320 });
  });

  it('tells why a photo will never be small when it is none', async () => {
    await using shop = await openShop();
    const { status } = await json<{ status: string }>(shop.upload(new TextEncoder().encode('no photo')));
    await shop.queue.whenIdle();
    const reason = expect.stringContaining('unsupported image format') as string;
    expect(await json(shop.get(status))).toMatchObject({ state: 'dead', reason });
  });

  it('makes a sample photo that it accepts', async () => {
    await using shop = await openShop();
    const sample = new Uint8Array(await (await shop.get('/sample-photo')).arrayBuffer());
    expect((await shop.upload(sample, 'image/jpeg')).status).toBe(202);
  });

  it('refuses other types, and requests without a photo', async () => {
    await using shop = await openShop();
    expect((await shop.upload(await largePhoto(), 'application/pdf')).status).toBe(415);
    expect((await shop.post('/photos')).status).toBe(400);
    expect((await shop.get('/photos/..%2Fshop.sqlite/small')).status).toBe(400);
  });

  it('answers 503 and keeps nothing when the queue is closed', async () => {
    await using shop = await openShop();
    await shop.app.get(BackgroundHost).service('queue:default').stop();
    const answer = await shop.upload(await largePhoto());
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await answer.json()).toMatchObject({ code: 'QUEUE_CLOSED' });
    expect(await readdir(join(shop.dataDir, 'photos'))).toEqual([]);
  });

  it('answers 503 when there is no room for as long as it is patient', async () => {
    await using shop = await openShop({ PHOTOS_WAITING: '1', PATIENCE_MS: '1' });
    shop.queue.pause();
    expect((await shop.upload(await largePhoto())).status).toBe(202);
    const answer = await shop.upload(await largePhoto());
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'QUEUE_FULL' });
  });

  it('finishes every accepted photo when it closes', async () => {
    await using shop = await openShop();
    const photo = await largePhoto();
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.upload(photo)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202));
    await shop.app.close();
    const names = await readdir(join(shop.dataDir, 'photos'));
    expect(names.filter((name) => name.endsWith('.webp'))).toHaveLength(10);
  });
});

describe('customers', () => {
  it('welcomes a new customer by mail', async () => {
    await using shop = await openShop();
    expect((await shop.post('/customers', { name: 'Ada', email: 'ada@example.com' })).status).toBe(201);
    await shop.mailQueue.whenIdle();
    expect(await json(shop.get('/mails'))).toEqual([
      { to: '"Ada" <ada@example.com>', subject: 'Welcome to the sweet shop', text: expect.any(String) },
    ]);
  });

  it('tries again when the mail server fails', async () => {
    await using shop = await openShop();
    const retried: BackgroundEvent[] = [];
    shop.app.get(BackgroundEvents).on('task.retrying', (event) => retried.push(event));
    vi.spyOn(shop.app.get(Mailer), 'send').mockRejectedValueOnce(new Error('try again later'));
    expect((await shop.post('/customers', { name: 'Ada', email: 'ada@example.com' })).status).toBe(201);
    await shop.mailQueue.whenIdle();
    expect(retried).toMatchObject([{ queue: 'mail', name: 'send-welcome', attempt: 1 }]);
    expect(await json(shop.get('/mails'))).toHaveLength(1);
  });

  it('still delivers mail while the shop closes', async () => {
    await using shop = await openShop();
    await shop.post('/customers', { name: 'Ada', email: 'ada@example.com' });
    await shop.app.close();
    expect(shop.app.get(CatchAllMailServer).mails).toHaveLength(1);
  });

  it('refuses bad input, and an address that it knows', async () => {
    await using shop = await openShop();
    for (const bad of [{}, { name: 'Ada' }, { name: 'Ada', email: 'ada' }, { name: 'A\nB', email: 'a@b' }])
      expect((await shop.post('/customers', bad)).status).toBe(400);
    await shop.post('/customers', { name: 'Ada', email: 'ada@example.com' });
    expect((await shop.post('/customers', { name: 'Eve', email: 'ADA@example.com' })).status).toBe(409);
  });

  it('does not keep a customer who cannot be welcomed', async () => {
    await using shop = await openShop();
    await shop.app.get(BackgroundHost).service('queue:mail').stop();
    const ada = { name: 'Ada', email: 'ada@example.com' };
    expect((await shop.post('/customers', ada)).status).toBe(503);
    expect((await shop.post('/customers', ada)).status).toBe(503); // and not 409
  });
});

describe('a shop with a file', () => {
  it('makes a photo small after a restart that was accepted before it', async () => {
    const { open } = await durableShop();
    let status = '';
    {
      await using shop = await open();
      await shop.queue.pause();
      const answer = await shop.upload(await largePhoto());
      status = answer.headers.get('location')!;
      expect(answer.status).toBe(202);
    }
    await using shop = await open();
    expect(await json(shop.get(status))).toMatchObject({ state: 'waiting' });
    await shop.queue.resume();
    await shop.queue.whenIdle();
    expect(await json(shop.get(status))).toMatchObject({ state: 'completed', progress: { value: 0.9 } });
    expect((await shop.get(`${status}/small`)).status).toBe(200);
  });

  it('stores a customer together with the welcome mail, or neither', async () => {
    const { open } = await durableShop();
    await using shop = await open();
    vi.spyOn(shop.mailQueue, 'enqueue').mockRejectedValueOnce(new Error('no'));
    const ada = { name: 'Ada', email: 'ada@example.com' };
    expect((await shop.post('/customers', ada)).status).toBe(500);
    expect((await shop.post('/customers', ada)).status).toBe(201); // and not 409
    await shop.mailQueue.whenIdle();
    expect(await json(shop.get('/mails'))).toHaveLength(1);
  });

  it('shows dead tasks with their attempts, and runs them again', async () => {
    const { open } = await durableShop();
    await using shop = await open();
    await shop.upload(new TextEncoder().encode('no photo'));
    await shop.queue.whenIdle();
    const { tasks, counts } = await json<TaskPage & { counts: TaskCounts }>(
      shop.get('/night-shift/queues/default/tasks?state=dead'),
    );
    expect(counts.dead).toBe(1);
    const task = `/night-shift/queues/default/tasks/${tasks[0]!.id}`;
    expect(await json(shop.get(task))).toMatchObject({ attempts: [{ attempt: 1, outcome: 'failed' }] });
    expect(await json(shop.post('/night-shift/queues/default/retry'))).toEqual({ retried: 1 });
    await shop.queue.whenIdle();
    expect(await json<TaskDetails>(shop.get(task))).toMatchObject({ attempts: [{}, {}] });
    expect((await shop.get('/night-shift/queues/default/tasks/1-none')).status).toBe(404);
    expect((await shop.get('/night-shift/queues/default/tasks?state=lost')).status).toBe(400);
  });
});

describe('the night shift', () => {
  it('forgets old orders, and gives every connection back', async () => {
    await using shop = await openShop();
    await shop.post('/orders', { sweet: 'fudge', placedAt: '2020-01-01' });
    await shop.post('/orders', { sweet: 'humbug' });
    expect(await json(shop.post('/night-shift/OrderCleanup/trigger'))).toMatchObject({
      outcome: 'completed',
    });
    expect((await json<Order[]>(shop.get('/orders'))).map(({ sweet }) => sweet)).toEqual(['humbug']);
    expect(await json(shop.get('/night-shift'))).toMatchObject({ connections: { inUse: 0, idle: 1 } });
  });

  it('removes old log files', async () => {
    await using shop = await openShop();
    const files = (): Promise<string[]> => readdir(join(shop.dataDir, 'logs'));
    const today = `${new Date().toISOString().slice(0, 10)}.log`;
    expect((await files()).filter((name) => name !== today)).toHaveLength(3);
    await shop.post('/night-shift/LogCleanup/trigger');
    expect((await files()).filter((name) => name !== today)).toEqual([]);
  });

  it('has the recipes at hand', async () => {
    await using shop = await openShop();
    const samples = ['humbug', 'fudge', 'liquorice'].map(
      (sweet) => expect.objectContaining({ sweet }) as object,
    );
    expect(await json(shop.get('/recipes'))).toMatchObject({ recipes: samples });
  });

  it('shows what runs', async () => {
    await using shop = await openShop();
    const { state, services, queues } = await json<BackgroundSnapshot>(shop.get('/night-shift'));
    expect(state).toBe('running');
    expect(queues.map(({ name }) => name)).toEqual(['default', 'mail', 'wholesale']);
    expect(Object.fromEntries(services.map(({ name, kind }) => [name, kind]))).toEqual({
      'queue:default': 'queue',
      'queue:mail': 'queue',
      'queue:wholesale': 'queue',
      CatchAllMailServer: 'hosted',
      SyrupStirrer: 'longRunning',
      OrderReceiver: 'longRunning',
      OrderCleanup: 'ticked',
      RecipeCache: 'ticked',
      LogCleanup: 'ticked',
    });
  });

  it('runs no mail server of its own when there is a real one', async () => {
    await using shop = await openShop({ SMTP_URL: 'smtp://mail.example.com' });
    expect(shop.app.get(BackgroundHost).service(CatchAllMailServer).state).toBe('disabled');
  });

  it('has no wholesale without a broker', async () => {
    await using shop = await openShop();
    expect(shop.app.get(BackgroundHost).service(OrderReceiver).state).toBe('disabled');
    expect((await shop.post('/wholesale', { sweet: 'fudge' })).status).toBe(404);
    expect(await json(shop.get('/wholesale'))).toMatchObject({ reception: { state: 'off' }, packed: [] });
  });

  it('pauses and resumes a service', async () => {
    await using shop = await openShop();
    expect(await json(shop.post('/night-shift/LogCleanup/pause'))).toEqual({ state: 'paused' });
    expect(await json(shop.post('/night-shift/LogCleanup/resume'))).toEqual({ state: 'running' });
  });

  it('answers 404 when there is no such service, and 409 when it does not tick', async () => {
    await using shop = await openShop();
    const unknown = await shop.post('/night-shift/OrderCleanupp/trigger');
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({
      code: 'UNKNOWN_NAME',
      message: expect.stringContaining("'OrderCleanup'?") as string,
    });
    const longRunning = await shop.post('/night-shift/SyrupStirrer/trigger');
    expect(longRunning.status).toBe(409);
    expect(await longRunning.json()).toMatchObject({ code: 'NOT_TICKED' });
  });
});
