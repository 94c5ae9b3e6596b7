import * as fc from 'fast-check';
import { constant } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../../test/long-runs.js';
import type { TaskContext } from '../scopes/context.js';
import { setup } from './queue.fixture.js';
import type { TaskHandle, TaskState } from './task.js';

interface Plan {
  readonly priority: number;
  readonly delay: number | undefined;
  readonly expiresIn: number | undefined;
  /** What each attempt does; after the last of them it succeeds. */
  readonly ends: readonly ('fails' | 'putsOff')[];
}

interface Tracked extends Plan {
  readonly handle: TaskHandle;
  /** `held` until `dueAt`, and from then on in line. */
  phase: 'held' | 'new' | 'running' | 'over';
  /** When it is due next, or has come if it was due at once; and which came before, at one time. */
  dueAt: number;
  arrival: number;
  readonly expiresAt: number;
  begun: number;
  failed: number;
  expected: TaskState;
  end(): void;
}

const maxAttempts = 3;
const pauseMs = 6;
const concurrency = 2;

/** Does to a queue what the commands say, and knows from the outside alone what has to be true of it. */
class Session {
  private readonly capacity: number;
  private readonly world: ReturnType<typeof setup>;
  readonly tasks: Tracked[] = [];
  readonly broken = new Set<string>();
  private arrivals = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.world = setup({ capacity, concurrency, retry: { maxAttempts, backoff: constant(pauseMs) } });
  }

  get now(): number {
    return this.world.clock.monotonic();
  }

  enqueue(plan: Plan): void {
    const { delay, expiresIn, priority } = plan;
    const work = (context: TaskContext): Promise<unknown> => this.begin(task, context);
    const isFull = this.inLine().filter(({ phase }) => phase === 'new').length >= this.capacity;
    const goesOn = !this.world.queue.isPaused && this.running().length < concurrency;
    const handle = this.world.queue.tryEnqueue(work, { priority, delay, expiresIn });
    this.rule(
      'refused only when full',
      (handle === undefined) === (delay === undefined && isFull && !goesOn),
    );
    if (handle === undefined) return;
    const task: Tracked = {
      ...plan,
      handle,
      phase: delay === undefined ? 'new' : 'held',
      dueAt: this.now + (delay ?? 0),
      arrival: (this.arrivals += 1),
      expiresAt: this.now + (expiresIn ?? Infinity),
      begun: 0,
      failed: 0,
      expected: 'completed',
      end() {},
    };
    this.tasks.push(task);
  }

  async cancel(pick: number): Promise<void> {
    const open = this.tasks.filter(({ phase }) => phase === 'held' || phase === 'new');
    const task = open[pick % Math.max(1, open.length)];
    if (task === undefined) return;
    this.rule('can be cancelled', await task.handle.cancel());
    this.close(task, 'cancelled');
  }

  finish(pick: number): void {
    const running = this.running();
    running[pick % Math.max(1, running.length)]?.end();
  }

  /** One step at a time, so that it is known what is due at each. */
  async advance(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) await this.world.clock.advance(1);
  }

  pause(): void {
    this.world.queue.pause();
  }

  resume(): void {
    this.world.queue.resume();
  }

  running(): Tracked[] {
    return this.tasks.filter(({ phase }) => phase === 'running');
  }

  get isOver(): boolean {
    return this.tasks.every(({ phase }) => phase === 'over');
  }

  /** Notes what is not as it has to be at this moment. */
  async look(): Promise<void> {
    const { queue, clock } = this.world;
    const idle: true[] = [];
    void queue.whenIdle().then(() => idle.push(true));
    await clock.advance(0);
    this.expire();
    const line = this.inLine().length;
    const running = this.running().length;
    const held = this.tasks.filter(({ phase, dueAt }) => phase === 'held' && dueAt > this.now);
    const retrying = held.filter(({ begun }) => begun > 0).length;
    this.rule('size counts what waits', queue.size === line);
    this.rule('active counts what runs', queue.active === running);
    this.rule('scheduled counts what is held', queue.scheduled === held.length);
    this.rule('no more runs than the concurrency', running <= concurrency);
    this.rule('nothing waits while a place is free', queue.isPaused || running === concurrency || line === 0);
    this.rule('whenIdle is right', idle.length > 0 === (line + running + retrying === 0));
  }

  private begin(task: Tracked, { attempt, retryAfter }: TaskContext): Promise<unknown> {
    this.expire();
    const others = this.inLine().filter((other) => other !== task && this.isBefore(other, task));
    this.rule('the most urgent first, and among equals the first', others.length === 0);
    this.rule('begins only when it is due', this.inLine().includes(task));
    this.rule('counts its attempts', attempt === task.failed + 1);
    task.phase = 'running';
    const end = task.ends[task.begun];
    task.begun += 1;
    return new Promise((resolve, reject) => {
      task.end = () => {
        if (end === 'fails') task.failed += 1;
        if (end === undefined) this.close(task, 'completed');
        else if (end === 'fails' && task.failed === maxAttempts) this.close(task, 'dead');
        else {
          task.phase = 'held';
          task.dueAt = this.now + pauseMs;
          task.arrival = this.arrivals += 1;
        }
        if (end === 'fails') reject(new Error('planned'));
        else resolve(end === 'putsOff' ? retryAfter(pauseMs) : undefined);
      };
    });
  }

  private close(task: Tracked, expected: TaskState): void {
    task.phase = 'over';
    task.expected = expected;
  }

  private expire(): void {
    for (const task of this.tasks) {
      const isOpen = task.phase === 'held' || task.phase === 'new';
      if (isOpen && task.begun === 0 && task.expiresAt <= this.now) this.close(task, 'expired');
    }
  }

  private inLine(): Tracked[] {
    return this.tasks.filter(
      ({ phase, dueAt }) => phase === 'new' || (phase === 'held' && dueAt <= this.now),
    );
  }

  private isBefore(one: Tracked, other: Tracked): boolean {
    if (one.priority !== other.priority) return one.priority < other.priority;
    if (one.phase !== other.phase) return one.phase === 'held';
    if (one.phase === 'held' && one.dueAt !== other.dueAt) return one.dueAt < other.dueAt;
    return one.arrival < other.arrival;
  }

  private rule(name: string, holds: boolean): void {
    if (!holds) this.broken.add(name);
  }
}

const even = fc.constantFrom(2, 4, 8, 16);
const odd = fc.constantFrom(1, 5, 9, 21); // so that nothing expires in the very moment in which it is due
const plan: fc.Arbitrary<Plan> = fc.record({
  priority: fc.integer({ min: -1, max: 1 }),
  delay: fc.option(even, { nil: undefined }),
  expiresIn: fc.option(odd, { nil: undefined, freq: 1 }),
  ends: fc.array(fc.constantFrom('fails', 'fails', 'putsOff'), { maxLength: 4 }),
});

const command = fc.oneof(
  { weight: 6, arbitrary: plan.map((each) => (session: Session) => session.enqueue(each)) },
  { weight: 4, arbitrary: fc.nat().map((pick) => (session: Session) => session.finish(pick)) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 7 }).map((ms) => (session: Session) => session.advance(ms)),
  },
  { weight: 2, arbitrary: fc.nat().map((pick) => (session: Session) => session.cancel(pick)) },
  { weight: 1, arbitrary: fc.constant((session: Session) => session.pause()) },
  { weight: 1, arbitrary: fc.constant((session: Session) => session.resume()) },
);

describe('whatever is scheduled, retried, expired and cancelled', longTimeout, () => {
  it('loses nothing, runs nothing twice, and keeps the order of urgency and arrival', async () => {
    const commands = fc.array(command, { maxLength: 40 });
    const property = fc.asyncProperty(fc.nat(3), commands, async (capacity, all) => {
      const session = new Session(capacity);
      for (const run of all) {
        await run(session);
        await session.look();
      }
      session.resume();
      for (await session.look(); !session.isOver; await session.look()) {
        session.finish(0);
        await session.advance(1);
      }
      expect(session.broken).toEqual(new Set());
      for (const { handle, expected } of session.tasks) expect(await handle.state()).toBe(expected);
      const completed = session.tasks.filter(({ expected }) => expected === 'completed');
      expect(completed.map(({ begun }) => begun)).toEqual(completed.map(({ ends }) => ends.length + 1));
    });
    await fc.assert(property, { numRuns: runs(80) });
  });
});
