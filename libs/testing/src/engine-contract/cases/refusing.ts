import assert from 'node:assert/strict';
import type { EngineFeature, EnqueueOptions, TaskQueueOptions } from 'nestjs-nightshift';
import type { WrittenCase } from '../contract-case.js';
import type { ContractStage } from '../contract-stage.js';

/** For each thing that an engine may lack: that it is refused, and that nothing is accepted. */
export function refusing(lacked: readonly EngineFeature[]): readonly WrittenCase[] {
  return lacked.map((feature) => ({
    name: `refusing: ${feature}, which the engine says it lacks`,
    needs: [],
    play: refusals[feature],
  }));
}

type Refusal = (stage: ContractStage) => Promise<void>;

const refusals: Readonly<Record<EngineFeature, Refusal>> = {
  closures: async (stage) => {
    const app = await stage.start();
    const began: string[] = [];
    await stage.rejection(
      app.queue.enqueue(() => void began.push('a closure')),
      'CLOSURE_NOT_DURABLE',
    );
    await expectNothing(stage, app);
    assert.deepEqual(began, []);
  },
  tryEnqueue: async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const app = await stage.start();
    assert.throws(() => app.queue.tryEnqueue(echo, 'a'), hasCode('NOT_SUPPORTED'));
    await expectNothing(stage, app);
  },
  transaction: ofOption('transaction', () => ({ transaction: {} })),
  priority: ofOption('priority', () => ({ priority: 1 })),
  expiresIn: ofOption('expiresIn', ({ moment }) => ({ expiresIn: moment })),
  deduplicationKey: ofOption('deduplicationKey', () => ({ deduplicationKey: 'k' })),
  concurrencyKey: ofOption('concurrencyKey', () => ({ concurrencyKey: 'k' })),
  retryFunctions: async (stage) => {
    await ofOption('retryFunctions', () => ({ retry: { maxAttempts: 2, retryIf: () => true } }))(stage);
    await ofOption('retryFunctions', () => ({ retry: { maxAttempts: 2, backoff: { delayMs: () => 1 } } }))(
      stage,
    );
  },
  capacity: ofQueue('capacity', () => ({ capacity: 1 })),
  dropping: ofQueue('dropping', () => ({ capacity: 1, fullMode: 'dropOldest' })),
  rateLimit: ofQueue('rateLimit', ({ moment }) => ({ rateLimit: { max: 1, per: moment } })),
  progress: async (stage) => {
    const errors: unknown[] = [];
    const speak = stage.define<string, void>('speak', (_, context) => {
      for (const say of [() => context.progress(0.5), () => context.log('a line')]) {
        try {
          say();
        } catch (error) {
          errors.push(error);
        }
      }
    });
    const app = await stage.start();
    const handle = await app.queue.enqueue(speak, 'a');
    await stage.time.settled(handle.result());
    for (const error of errors) assert.ok(hasCode('NOT_SUPPORTED')(error));
  },
  search: async (stage) => {
    const { engine } = await stage.start();
    for (const asked of [
      async () => engine.search({}),
      async () => engine.counts(),
      async () => engine.retry({}),
      async () => engine.remove({}),
    ])
      await stage.rejection(asked(), 'NOT_SUPPORTED');
  },
  dequeue: async (stage) => {
    const refused = stage.start({ concurrency: 0 }).then(
      ({ queue }) => queue.dequeue(),
      (error: unknown) => Promise.reject(error as Error),
    );
    await stage.rejection(refused, 'NOT_SUPPORTED');
  },
};

function ofOption(feature: EngineFeature, options: (stage: ContractStage) => EnqueueOptions): Refusal {
  return async (stage) => {
    const held = stage.hold(`refused-${Math.random()}`);
    const app = await stage.start();
    const error = await stage.rejection(
      app.queue.enqueue(held.definition, 'a', options(stage)),
      'NOT_SUPPORTED',
    );
    assert.equal(error['feature'], feature);
    await expectNothing(stage, app);
    assert.deepEqual(held.began, []);
  };
}

/** Refused when the queue is made. */
function ofQueue(feature: EngineFeature, options: (stage: ContractStage) => TaskQueueOptions): Refusal {
  return async (stage) => {
    const error = await stage.rejection(stage.start(options(stage)), 'NOT_SUPPORTED');
    assert.equal(error['feature'], feature);
  };
}

async function expectNothing(
  stage: ContractStage,
  { engine, events }: Awaited<ReturnType<ContractStage['start']>>,
): Promise<void> {
  await stage.time.settled(engine.whenIdle());
  assert.ok(events.every(({ type }) => type !== 'task.enqueued'));
  assert.deepEqual([engine.size, engine.active, engine.scheduled], [0, 0, 0]);
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => (error as { readonly code?: unknown }).code === code;
}
