/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import { applyDecorators, Injectable } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import {
  BackgroundService,
  HostedService,
  type BackgroundHost,
  type BackgroundServiceOptions,
  type ServiceHandle,
  type ServiceState,
  type TickContext,
  type TickRecord,
} from 'nestjs-nightshift';
import { describe, expectTypeOf, it } from 'vitest';

/** What the decorators make of a class, without decorating it: nothing here is called. */
const longRunning = () => BackgroundService();
const ticked = () => BackgroundService({ every: '30s' });
const byCalendar = () => BackgroundService({ cron: '0 3 * * *' });
const hosted = () => HostedService({ name: 'server' });

type Takes<D extends () => (target: never) => void> = Parameters<ReturnType<D>>[0];

class Complete {
  async execute(_stoppingToken: AbortSignal): Promise<void> {}
}
class WithTick {
  async execute(_stoppingToken: AbortSignal, _tick: TickContext): Promise<number> {
    return 1;
  }
}
class WithoutParameters {
  execute(): void {}
}
class AsField {
  execute = async (): Promise<void> => {};
}
abstract class Unfinished {
  abstract execute(): void;
}
class Unreachable {
  private constructor() {}
  static readonly only = new Unreachable();
  execute(): void {}
}
class WithScheduledMethods {
  @Cron('0 3 * * *')
  nightly(): void {}
  @Interval(1_000)
  often(): void {}
}
class Empty {
  readonly name = 'empty';
}
class Misspelt {
  exceute(): void {}
}
class WrongParameter {
  execute(_name: string): void {}
}
class TooManyParameters {
  execute(_stoppingToken: AbortSignal, _tick: TickContext, _more: number): void {}
}
class Hidden {
  private execute(): void {}
  callsIt(): void {
    this.execute();
  }
}
class NoMethod {
  readonly execute = 'now';
}

describe('@BackgroundService()', () => {
  it('takes any class with an execute() that can be called', () => {
    expectTypeOf<typeof Complete>().toExtend<Takes<typeof longRunning>>();
    expectTypeOf<typeof WithTick>().toExtend<Takes<typeof ticked>>();
    expectTypeOf<typeof WithTick>().toExtend<Takes<typeof byCalendar>>();
    expectTypeOf<typeof WithoutParameters>().toExtend<Takes<typeof ticked>>();
    expectTypeOf<typeof AsField>().toExtend<Takes<typeof longRunning>>();
    expectTypeOf<typeof Unfinished>().toExtend<Takes<typeof ticked>>();
    expectTypeOf<typeof Unreachable>().toExtend<Takes<typeof ticked>>();
  });

  it('takes a class of scheduled methods without execute(), unless it is to tick by itself', () => {
    expectTypeOf<typeof WithScheduledMethods>().toExtend<Takes<typeof longRunning>>();
    expectTypeOf<typeof WithScheduledMethods>().not.toExtend<Takes<typeof ticked>>();
    const overlapping = () => BackgroundService({ overlap: 'queue' });
    expectTypeOf<typeof WithScheduledMethods>().toExtend<Takes<typeof overlapping>>();
  });

  it('refuses a class that has no execute() to tick with', () => {
    expectTypeOf<typeof Empty>().not.toExtend<Takes<typeof ticked>>();
    expectTypeOf<typeof Misspelt>().not.toExtend<Takes<typeof byCalendar>>();
  });

  it('refuses an execute() that cannot be called, ticking or not', () => {
    expectTypeOf<typeof WrongParameter>().not.toExtend<Takes<typeof longRunning>>();
    expectTypeOf<typeof WrongParameter>().not.toExtend<Takes<typeof ticked>>();
    expectTypeOf<typeof TooManyParameters>().not.toExtend<Takes<typeof longRunning>>();
    expectTypeOf<typeof Hidden>().not.toExtend<Takes<typeof longRunning>>();
    expectTypeOf<typeof NoMethod>().not.toExtend<Takes<typeof longRunning>>();
  });

  it('decorates classes only, and goes into applyDecorators()', () => {
    const composed = () =>
      applyDecorators(Injectable(), BackgroundService({ every: '30s' }), HostedService());
    expectTypeOf(composed).toBeFunction();
    const wrong = () => {
      class Host {
        // @ts-expect-error: a method is no service
        @BackgroundService({ every: '30s' })
        execute(): void {}
      }
      return Host;
    };
    expectTypeOf(wrong).toBeFunction();
  });

  it('refuses options and values that nothing reads', () => {
    const wrong = () => [
      // @ts-expect-error: a slip of the pen
      BackgroundService({ evry: '30s' }),
      // @ts-expect-error: a slip of the pen beside a schedule
      BackgroundService({ every: '30s', overlp: 'skip' }),
      // @ts-expect-error: no such value
      BackgroundService({ every: '30s', overlap: 'wait' }),
      // @ts-expect-error: true or false
      BackgroundService({ every: '30s', exclusive: 'always' }),
      // @ts-expect-error: a duration
      BackgroundService({ every: true }),
      // @ts-expect-error: a backoff, not a delay
      BackgroundService({ restart: { backoff: '1s' } }),
      // @ts-expect-error: no schedule here
      HostedService({ every: '30s' }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });

  it('takes options that were put together elsewhere', () => {
    const forwarded = (options: BackgroundServiceOptions, every: string | undefined) => [
      BackgroundService(options),
      BackgroundService({ every, name: undefined }),
    ];
    expectTypeOf(forwarded).toBeFunction();
  });
});

describe('@HostedService()', () => {
  it('takes any class with start() and stop(), whatever they give back', () => {
    class Server {
      async start(_signal: AbortSignal): Promise<{ port: number }> {
        return { port: 3_000 };
      }
      stop(): number {
        return 0;
      }
    }
    expectTypeOf<typeof Server>().toExtend<Takes<typeof hosted>>();
  });

  it('refuses a class that lacks one of them, or with another signature', () => {
    class Halfway {
      start(): void {}
    }
    class OnPort {
      start(_port: number): void {}
      stop(): void {}
    }
    expectTypeOf<typeof Halfway>().not.toExtend<Takes<typeof hosted>>();
    expectTypeOf<typeof OnPort>().not.toExtend<Takes<typeof hosted>>();
    expectTypeOf<typeof Complete>().not.toExtend<Takes<typeof hosted>>();
  });
});

describe('the interfaces of the same names', () => {
  it('check a class that says it implements them', () => {
    // @ts-expect-error: execute() is missing
    class Idle implements BackgroundService {
      readonly name = 'idle';
    }
    // @ts-expect-error: stop() is missing
    class Halfway implements HostedService {
      start(): void {}
    }
    class Ticking implements BackgroundService {
      execute(_stoppingToken: AbortSignal, tick: TickContext): void {
        expectTypeOf(tick.count).toEqualTypeOf<number>();
      }
    }
    expectTypeOf<[Idle, Halfway, Ticking]>().toBeArray();
  });
});

describe('what the host tells of a service', () => {
  it('is asked for by name or by class', () => {
    expectTypeOf<string | typeof Complete | typeof Unfinished>().toExtend<
      Parameters<BackgroundHost['service']>[0]
    >();
    expectTypeOf<Parameters<BackgroundHost['service']>[0]>().not.toEqualTypeOf<unknown>();
    expectTypeOf<BackgroundHost['service']>().returns.toEqualTypeOf<ServiceHandle>();
    expectTypeOf<BackgroundHost['services']>().toEqualTypeOf<readonly ServiceHandle[]>();
  });

  it('is read and not written', () => {
    const change = (service: ServiceHandle, tick: TickContext) => {
      // @ts-expect-error: stop() does that
      service.state = 'stopped';
      // @ts-expect-error: reschedule() does that
      service.nextTickAt = new Date();
      // @ts-expect-error: what its options say
      service.exclusive = true;
      // @ts-expect-error: readonly
      tick.missed = 0;
    };
    expectTypeOf(change).toBeFunction();
    expectTypeOf<ServiceHandle['state']>().toEqualTypeOf<ServiceState>();
    expectTypeOf<ServiceHandle['exclusive']>().toBeBoolean();
    expectTypeOf<ServiceHandle['lastTick']>().toEqualTypeOf<TickRecord | undefined>();
    expectTypeOf<ServiceHandle['trigger']>().returns.toEqualTypeOf<Promise<TickRecord>>();
    expectTypeOf<ServiceHandle['lastError']>().toBeUnknown();
  });

  it('can be rescheduled by a schedule and by nothing else', () => {
    const change = (service: ServiceHandle) => {
      service.reschedule({ every: '5m' });
      service.reschedule({ cron: '0 3 * * *', timeZone: 'Europe/Berlin' });
      // @ts-expect-error: in an object
      service.reschedule('5m');
      // @ts-expect-error: no part of a schedule
      service.reschedule({ every: '5m', overlap: 'skip' });
    };
    expectTypeOf(change).toBeFunction();
  });
});
