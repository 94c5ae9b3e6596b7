import * as fc from 'fast-check';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import { QueueRegistry } from './queue-registry.js';
import type { TaskHandle } from './task.js';
import type { TaskQueue } from './task-queue.js';
import { resolveQueueOptions, type FullMode } from './queue.options.js';

type Fate = 'blocked' | 'accepted' | 'refused' | 'cancelled' | 'dropped';

/** One task as the test knows it, from the outside alone. */
interface Tracked {
  readonly number: number;
  handle: TaskHandle | undefined;
  fate: Fate;
  begun: number;
  ended: boolean;
  end(): void;
}

/** Does to a queue what the commands say, and keeps count. */
class Session {
  readonly tasks: Tracked[] = [];
  readonly order: number[] = [];
  readonly clock = new ManualClock();
  readonly queue: TaskQueue;
  idle = true;
  cancelledAny = false;

  constructor(
    readonly capacity: number,
    readonly concurrency: number,
    fullMode: FullMode,
  ) {
    const dependencies = {
      clock: this.clock,
      events: new BackgroundEvents(this.clock),
      scopes: new NoScopes(),
    };
    const registry = new QueueRegistry(dependencies);
    const onDropped = ({ id }: TaskHandle): void => void this.dropped.add(id);
    this.queue = registry.create(
      resolveQueueOptions({ capacity, concurrency, fullMode, onDropped }, 'queue'),
    );
    registry.workers[0]!.runner.begin!();
  }

  private readonly dropped = new Set<string>();

  enqueue(waits: boolean): void {
    const task: Tracked = {
      number: this.tasks.length,
      handle: undefined,
      fate: 'blocked',
      begun: 0,
      ended: false,
      end() {},
    };
    this.tasks.push(task);
    const work = (): Promise<void> => {
      task.begun += 1;
      this.order.push(task.number);
      return new Promise((resolve) => (task.end = resolve));
    };
    const accepted = (handle: TaskHandle | undefined): void => {
      task.handle = handle;
      task.fate = handle === undefined ? 'refused' : 'accepted';
    };
    if (waits) void this.queue.enqueue(work).then(accepted);
    else accepted(this.queue.tryEnqueue(work));
    void this.watchIdle();
  }

  async cancel(pick: number): Promise<void> {
    const task = this.tasks[pick % Math.max(1, this.tasks.length)];
    if (task?.handle === undefined || task.begun > 0) return;
    if (!(await task.handle.cancel())) return;
    task.fate = 'cancelled';
    this.cancelledAny = true;
  }

  finish(pick: number): void {
    const running = this.running();
    const task = running[pick % Math.max(1, running.length)];
    if (task === undefined) return;
    task.ended = true;
    task.end();
  }

  async settle(): Promise<void> {
    await this.clock.advance(0);
    for (const task of this.tasks) {
      if (task.handle !== undefined && this.dropped.has(task.handle.id)) task.fate = 'dropped';
    }
  }

  running(): Tracked[] {
    return this.tasks.filter(({ begun, ended }) => begun > 0 && !ended);
  }

  waiting(): Tracked[] {
    return this.tasks.filter(({ fate, begun }) => fate === 'accepted' && begun === 0);
  }

  blocked(): Tracked[] {
    return this.tasks.filter(({ fate }) => fate === 'blocked');
  }

  /** What is not as it has to be at this moment. */
  violations(): string[] {
    const { queue } = this;
    const [running, waiting, blocked] = [this.running(), this.waiting(), this.blocked()].map(
      ({ length }) => length,
    ) as [number, number, number];
    const isBusy = queue.active === this.concurrency || queue.isPaused;
    const rules: Record<string, boolean> = {
      'active counts what runs': queue.active === running,
      'size counts what waits': queue.size === waiting,
      'no more runs than the concurrency': running <= this.concurrency,
      'no more waits than the capacity': waiting <= this.capacity,
      'first in, first out': this.order.every(
        (number, index) => index === 0 || number > this.order[index - 1]!,
      ),
      'only accepted work runs, and once': this.tasks.every(
        ({ begun, fate }) => begun <= (fate === 'accepted' ? 1 : 0),
      ),
      'nothing waits while a place is free': isBusy || waiting + blocked === 0,
      'producers wait only while the queue is full':
        blocked === 0 || this.cancelledAny || waiting === this.capacity,
      'whenIdle is right': this.idle === (running + waiting + blocked === 0),
    };
    return Object.keys(rules).filter((rule) => !rules[rule]);
  }

  private async watchIdle(): Promise<void> {
    this.idle = false;
    await this.queue.whenIdle();
    this.idle = true;
  }
}

const command = fc.oneof(
  { weight: 4, arbitrary: fc.constant((session: Session) => session.enqueue(true)) },
  { weight: 2, arbitrary: fc.constant((session: Session) => session.enqueue(false)) },
  { weight: 3, arbitrary: fc.nat().map((pick) => (session: Session) => session.finish(pick)) },
  { weight: 2, arbitrary: fc.nat().map((pick) => (session: Session) => session.cancel(pick)) },
  { weight: 1, arbitrary: fc.constant((session: Session) => session.queue.pause()) },
  { weight: 1, arbitrary: fc.constant((session: Session) => session.queue.resume()) },
);

/** Does what the commands say, then lets everything end. Returns the rules that were broken on the way. */
async function play(
  session: Session,
  commands: readonly ((session: Session) => unknown)[],
): Promise<ReadonlySet<string>> {
  const broken = new Set<string>();
  const look = async (): Promise<void> => {
    await session.settle();
    for (const rule of session.violations()) broken.add(rule);
  };
  for (const run of commands) {
    await run(session);
    await look();
  }
  session.queue.resume();
  for (await look(); session.running().length > 0; await look()) session.finish(0);
  return broken;
}

describe('whatever is done to a queue', () => {
  const commands = fc.array(command, { maxLength: 40 });
  const runs = { numRuns: 60 };

  it('runs every accepted task once and in order, within its bounds, when producers wait', async () => {
    const property = fc.asyncProperty(
      fc.nat(3),
      fc.integer({ min: 1, max: 3 }),
      commands,
      async (capacity, concurrency, all) => {
        const session = new Session(capacity, concurrency, 'wait');
        expect(await play(session, all)).toEqual(new Set());
        for (const { fate, begun } of session.tasks) {
          expect(fate).toBeOneOf(['accepted', 'refused', 'cancelled']);
          expect(begun).toBe(fate === 'accepted' ? 1 : 0);
        }
      },
    );
    await fc.assert(property, runs);
  });

  it('runs or drops every task, and nobody waits, when it drops', async () => {
    const modes = fc.constantFrom<FullMode>('dropOldest', 'dropNewest', 'dropWrite');
    const property = fc.asyncProperty(fc.nat(3), modes, commands, async (capacity, fullMode, all) => {
      const session = new Session(capacity, 1, fullMode);
      expect(await play(session, all)).toEqual(new Set());
      for (const { fate, begun } of session.tasks) {
        expect(fate).toBeOneOf(['accepted', 'refused', 'cancelled', 'dropped']);
        expect(begun).toBe(fate === 'accepted' ? 1 : 0);
      }
    });
    await fc.assert(property, runs);
  });
});
