// Long because it is one contract: every way in which a handler is provided, found, resolved and refused.
import { Inject, Injectable, Module, Scope, type DynamicModule, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { constant } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../error-of.fixture.js';
import {
  DuplicateTaskHandlerError,
  InvalidWorkError,
  NoTaskHandlerError,
  NotATaskHandlerError,
  UnknownNameError,
} from '../errors.js';
import type { TaskContext } from '../scopes/context.js';
import { defineTask } from '../tasks/task-definition.js';
import { TaskQueue } from '../tasks/task-queue.js';
import type { TaskHandle } from '../tasks/task.js';
import { setup as setupApplication } from './application.fixture.js';
import { BackgroundModule } from './background.module.js';
import { getTaskQueueToken, InjectBackgroundContext, InjectTaskQueue } from './decorators.js';
import { TaskHandler } from './task-handler.js';

const cook = defineTask<string, string>('cook');
const stir = defineTask('stir');
const tryThrice = { retry: { maxAttempts: 3, backoff: constant('1s') } };

async function setup(providers: Provider[], imports: DynamicModule[] = []) {
  const { app, clock, seen } = await setupApplication(providers, imports);
  return { app, clock, seen, queue: app.get(TaskQueue) };
}

/** Why an application of these providers does not start. */
async function refusalOf(providers: Provider[], imports: DynamicModule[] = []): Promise<unknown> {
  const module = await Test.createTestingModule({
    imports: [...imports, BackgroundModule.forRoot({ clock: new ManualClock() })],
    providers,
  }).compile();
  module.useLogger(false);
  return errorOf(module.init());
}

/** A request-scoped provider that notes its creation and its disposal. */
function noted(log: string[]) {
  @Injectable({ scope: Scope.REQUEST })
  class Stove implements AsyncDisposable {
    readonly number = log.push('lit');
    async [Symbol.asyncDispose](): Promise<void> {
      log.push('out');
    }
  }
  return Stove;
}

describe('a task handler', () => {
  it('does the tasks of its definition, with what is injected into it', async () => {
    @Injectable()
    class Larder {
      readonly sugar = 'sweet';
    }
    @TaskHandler(cook)
    class Cook implements TaskHandler<typeof cook> {
      constructor(private readonly larder: Larder) {}
      async handle(what: string): Promise<string> {
        return `${this.larder.sugar} ${what}`;
      }
    }
    const { queue } = await setup([Larder, Cook]);
    expect(await (await queue.enqueue(cook, 'fudge')).result()).toBe('sweet fudge');
  });

  it('is one instance for all attempts when nothing about it is scoped', async () => {
    const instances = new Set<object>();
    @TaskHandler(stir)
    class Stirrer {
      handle(): void {
        instances.add(this);
      }
    }
    const { queue, app } = await setup([Stirrer]);
    await queue.enqueueMany(stir, [undefined, undefined]);
    await queue.whenIdle();
    expect([...instances]).toEqual([app.get(Stirrer)]);
  });

  it('is a new one in a scope of its own for each attempt when it is scoped, disposed after it', async () => {
    const log: string[] = [];
    const Stove = noted(log);
    const persistent = defineTask('persistent', tryThrice);
    @TaskHandler(persistent)
    class Cook implements Disposable {
      constructor(
        @Inject(Stove) readonly stove: object,
        @InjectBackgroundContext() readonly context: TaskContext,
      ) {}
      async handle(_: void, context: TaskContext): Promise<void> {
        log.push(`attempt ${this.context.attempt} of ${context.maxAttempts}`);
        if (context.attempt === 1) throw new Error('burnt');
      }
      [Symbol.dispose](): void {
        log.push('gone');
      }
    }
    const { queue, clock } = await setup([Stove, Cook]);
    const task = await queue.enqueue(persistent);
    await clock.advance('1s');
    await task.result();
    const [first, second] = ['attempt 1 of 3', 'attempt 2 of 3'];
    expect(log).toEqual(['lit', first, 'gone', 'out', 'lit', second, 'gone', 'out']);
  });

  it('is a new one for each task when it is transient', async () => {
    const instances = new Set<object>();
    @Injectable({ scope: Scope.TRANSIENT })
    @TaskHandler(stir)
    class Stirrer {
      handle(): void {
        instances.add(this);
      }
    }
    const { queue } = await setup([Stirrer]);
    await queue.enqueueMany(stir, [undefined, undefined]);
    await queue.whenIdle();
    expect(instances.size).toBe(2);
  });

  it('is resolved through its own module, also when that exports nothing', async () => {
    const log: string[] = [];
    const Stove = noted(log);
    @TaskHandler(cook)
    class Cook {
      constructor(@Inject(Stove) readonly stove: { number: number }) {}
      handle(what: string): string {
        return `${what} on stove ${this.stove.number}`;
      }
    }
    @Module({})
    class Kitchen {}
    const { queue } = await setup([], [{ module: Kitchen, providers: [Stove, Cook] }]);
    expect(await (await queue.enqueue(cook, 'fudge')).result()).toBe('fudge on stove 1');
  });

  it('is found when a factory makes it, when it is a value, and when handle() is a field', async () => {
    const post = defineTask<void, string>('post');
    @TaskHandler(cook)
    class Cook {
      constructor(private readonly sugar: string) {}
      handle(what: string): string {
        return `${this.sugar} ${what}`;
      }
    }
    @TaskHandler(stir)
    class Stirrer {
      readonly handle = (): void => {};
    }
    @Injectable({ scope: Scope.REQUEST })
    @TaskHandler(post)
    class Postman {
      readonly handle = (): string => 'delivered';
    }
    const { queue } = await setup([
      Postman,
      { provide: 'cook', useFactory: () => new Cook('brown') },
      { provide: 'stirrer', useValue: new Stirrer() },
    ]);
    expect(await (await queue.enqueue(cook, 'fudge')).result()).toBe('brown fudge');
    expect(await (await queue.enqueue(stir)).result()).toBeUndefined();
    expect(await (await queue.enqueue(post)).result()).toBe('delivered');
  });

  it('may handle several definitions, and hand its own on to a subclass', async () => {
    const bake = defineTask<string, string>('bake');
    @TaskHandler(cook)
    @TaskHandler(bake)
    class Cook {
      handle(what: string, { name }: TaskContext): string {
        return `${name} ${what}`;
      }
    }
    class Pastry extends Cook {}
    const { queue } = await setup([Pastry]);
    expect(await (await queue.enqueue(bake, 'fudge')).result()).toBe('bake fudge');
    expect(await (await queue.enqueue(cook, 'fudge')).result()).toBe('cook fudge');
  });

  it('handles only what it is decorated with when it extends another, so that both can be provided', async () => {
    const bake = defineTask<string, string>('bake');
    @TaskHandler(cook)
    class Cook {
      handle(what: string, { name }: TaskContext): string {
        return `${this.constructor.name}: ${name} ${what}`;
      }
    }
    @TaskHandler(bake)
    class Baker extends Cook {}
    const { queue } = await setup([Cook, Baker]);
    expect(await (await queue.enqueue(cook, 'fudge')).result()).toBe('Cook: cook fudge');
    expect(await (await queue.enqueue(bake, 'fudge')).result()).toBe('Baker: bake fudge');
    const alone = await setup([Baker]);
    await expect(alone.queue.enqueue(cook, 'fudge')).rejects.toThrow(NoTaskHandlerError);
  });

  it('does the tasks of whatever queue they are in, and of the one that its definition names', async () => {
    const post = defineTask<string, string>('post', { queue: 'mail' });
    @TaskHandler(cook)
    @TaskHandler(post)
    class Anything {
      handle(what: string, { queue }: TaskContext): string {
        return `${what} in ${queue}`;
      }
    }
    @Injectable()
    class Sender {
      constructor(@InjectTaskQueue('mail') readonly mail: TaskQueue) {}
    }
    const { queue, app } = await setup(
      [Anything, Sender],
      [BackgroundModule.registerQueue({ name: 'mail' })],
    );
    const { mail } = app.get(Sender);
    expect(await (await queue.enqueue(cook, 'fudge')).result()).toBe('fudge in default');
    expect(await (await mail.enqueue(cook, 'fudge')).result()).toBe('fudge in mail');
    expect(await (await mail.enqueue(post, 'letter')).result()).toBe('letter in mail');
  });

  it('runs once for each task, with a warning, when two modules provide it', async () => {
    const log: string[] = [];
    @TaskHandler(cook)
    class Cook {
      handle(what: string): string {
        log.push(what);
        return what;
      }
    }
    @Module({})
    class Kitchen {}
    @Module({})
    class Canteen {}
    const modules = [Kitchen, Canteen].map((module) => ({ module, providers: [Cook] }));
    const { queue, seen } = await setup([], modules);
    await (await queue.enqueue(cook, 'fudge')).result();
    expect(log).toEqual(['fudge']);
    const warning = seen.find((event) => event.type === 'host.warning');
    expect(warning).toMatchObject({ code: 'PROVIDED_TWICE' });
    expect(warning).toHaveProperty(
      'message',
      expect.stringMatching(/^Cook is provided by Kitchen and by Canteen\./),
    );
  });
});

describe('an application', () => {
  it('does not start when two classes handle one definition, and names both', async () => {
    @TaskHandler(cook)
    class Cook {
      handle(what: string): string {
        return what;
      }
    }
    @TaskHandler(defineTask<number>('cook'))
    class Chef {
      handle(): void {}
    }
    @Module({})
    class Kitchen {}
    const error = await refusalOf([Chef], [{ module: Kitchen, providers: [Cook] }]);
    expect(error).toBeInstanceOf(DuplicateTaskHandlerError);
    const handlers = ['Cook of Kitchen', 'Chef of RootTestModule'];
    expect(error).toMatchObject({ task: 'cook', handlers });
  });

  it('does not start when a handler has no handle()', async () => {
    class Idle {
      readonly hands = 2;
    }
    // As JavaScript may do; the compiler would not let it.
    (TaskHandler(stir) as (target: Function) => void)(Idle);
    const error = await refusalOf([Idle]);
    expect(error).toBeInstanceOf(NotATaskHandlerError);
    expect(error).toMatchObject({ handler: 'Idle', task: 'stir' });
  });

  it('does not start when a definition names a queue that there is not', async () => {
    @TaskHandler(defineTask('post', { queue: 'mails' }))
    class Postman {
      handle(): void {}
    }
    const error = await refusalOf([Postman], [BackgroundModule.registerQueue({ name: 'mail' })]);
    expect(error).toBeInstanceOf(UnknownNameError);
    expect((error as Error).message).toContain("'mail'?");
  });

  it('refuses a task that nobody handles, and one in a queue of another name alike', async () => {
    const { app, queue } = await setup([], [BackgroundModule.registerQueue({ name: 'mail' })]);
    const mail = app.get<TaskQueue>(getTaskQueueToken('mail'));
    expect(await errorOf(queue.enqueue(stir))).toBeInstanceOf(NoTaskHandlerError);
    expect(await errorOf(mail.enqueue(stir))).toBeInstanceOf(NoTaskHandlerError);
  });

  it('accepts tasks while it starts, before it knows who handles them', async () => {
    @TaskHandler(cook)
    class Cook {
      handle(what: string): string {
        return what;
      }
    }
    @Injectable()
    class Early {
      readonly task: Promise<TaskHandle<string>>;
      constructor(queue: TaskQueue) {
        this.task = queue.enqueue(cook, 'early');
      }
    }
    const { app } = await setup([Cook, Early]);
    expect(await (await app.get(Early).task).result()).toBe('early');
  });
});

describe('@TaskHandler', () => {
  it('refuses what is no definition while the class is being defined', () => {
    expect(() => TaskHandler({ name: 'cook' } as unknown as typeof cook)).toThrow(InvalidWorkError);
  });
});
