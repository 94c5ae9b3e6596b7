import 'reflect-metadata';
import { ContextIdFactory, ModuleRef, NestFactory } from '@nestjs/core';
import { cost, inTurns, type Effort, type Repeatable, type Row } from './comparison.js';
import { atMostTimes } from './goal.js';
import { BareModule, Service } from './scope-tree.js';

const amountOf = ({ scale }: Effort): number => 10_000 * scale;
const goal = atMostTimes(1.15);

/** What a unit of work pays for a scope of its own, against Nest's own `resolve` of the same tree. */
export function scopeRows(): Row[] {
  return [
    inTurns(
      {
        id: 'scope',
        title: 'A unit of work that resolves a tree three deep',
        how:
          'The last of three providers that depend on each other is resolved; the first is request-scoped and injects ' +
          '`REQUEST`, so all three are made for each unit of work. Bare is what there is without us: ' +
          '`ContextIdFactory.create()`, `registerRequestByContextId()`, `moduleRef.resolve()`, and no disposal. Ours also ' +
          'opens and disposes the scope; a task also passes through the queue and its result is awaited; a tick is asked ' +
          'for with `trigger()`, which awaits its end, and resolves the service itself from the scope.',
        bound:
          'Nearly all of it is Nest creating the three, which is the same for all four. A task and a tick do so in an async ' +
          'context of their own, which each promise that Nest makes then carries; a tick has a record, two more promises and ' +
          'the schedule to go through.',
        unit: 'µs',
        better: 'lower',
        alsoAlone: true,
      },
      [
        {
          name: 'ServiceScopeFactory.run()',
          role: 'ours',
          async prepare(effort) {
            const { openScopes } = await import('./open-scopes.js');
            const { scopes, close } = await openScopes();
            const run = async (amount: number): Promise<void> => {
              for (let i = 0; i < amount; i += 1) await scopes.run((scope) => scope.resolve(Service));
            };
            return cost(amountOf(effort), run, close);
          },
        },
        {
          name: 'a task through the queue',
          role: 'ours',
          async prepare(effort) {
            const { openScopes } = await import('./open-scopes.js');
            const { queue, close } = await openScopes();
            const run = async (amount: number): Promise<void> => {
              for (let i = 0; i < amount; i += 1)
                await (await queue.enqueue(({ scope }) => scope.resolve(Service))).result();
            };
            return cost(amountOf(effort), run, close);
          },
        },
        {
          name: 'a tick',
          role: 'ours',
          async prepare(effort) {
            const { openScopes } = await import('./open-scopes.js');
            const { ticker, close } = await openScopes();
            const run = async (amount: number): Promise<void> => {
              for (let i = 0; i < amount; i += 1) await ticker.trigger();
            };
            return cost(amountOf(effort), run, close);
          },
        },
        bareResolve,
      ],
    ),
  ];
}

const bareResolve: Repeatable = {
  name: 'bare moduleRef.resolve()',
  role: 'peer',
  goal,
  async prepare(effort) {
    const app = await NestFactory.createApplicationContext(BareModule, { logger: false });
    const moduleRef = app.get(ModuleRef);
    const run = async (amount: number): Promise<void> => {
      for (let i = 0; i < amount; i += 1) {
        const contextId = ContextIdFactory.create();
        moduleRef.registerRequestByContextId({}, contextId);
        await moduleRef.resolve(Service, contextId, { strict: false });
      }
    };
    return cost(amountOf(effort), run, () => app.close());
  },
};
