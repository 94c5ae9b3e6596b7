/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import type {
  BackgroundEvent,
  BackgroundEvents,
  BackgroundEventType,
  EventOf,
  LogTarget,
} from 'nestjs-nightshift';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

describe('a listener', () => {
  it('is given the event of its own type', () => {
    const listen = (events: BackgroundEvents) =>
      events.on('task.failed', (event) => {
        expectTypeOf(event).toEqualTypeOf<EventOf<'task.failed'>>();
        expectTypeOf(event.durationMs).toEqualTypeOf<number>();
        expectTypeOf(event.error).toBeUnknown();
        // @ts-expect-error: another event has it
        return event.timeoutMs;
      });
    expectTypeOf(listen).returns.toEqualTypeOf<() => void>();
  });

  it('may listen to one of several types', () => {
    const listen = (events: BackgroundEvents, type: 'tick.failed' | 'task.failed') =>
      events.on(type, (event) => {
        expectTypeOf(event.durationMs).toEqualTypeOf<number>();
        if (event.type === 'tick.failed') expectTypeOf(event.service).toEqualTypeOf<string>();
      });
    expectTypeOf(listen).toBeFunction();
  });

  it('cannot listen to a type that does not exist', () => {
    const wrong = (events: BackgroundEvents) => {
      // @ts-expect-error: a slip of the pen
      events.on('task.faild', () => {});
      // @ts-expect-error: the stream is for all of them
      events.on('*', () => {});
    };
    expectTypeOf(wrong).toBeFunction();
  });

  it('reads events and does not write them', () => {
    const change = (event: EventOf<'host.started'>) => {
      // @ts-expect-error: readonly
      event.durationMs = 0;
      // @ts-expect-error: readonly
      event.services.push('more');
      // @ts-expect-error: readonly
      event.at = new Date();
    };
    expectTypeOf(change).toBeFunction();
  });
});

describe('the union of all events', () => {
  it('is what the stream gives', () => {
    expectTypeOf<BackgroundEvents['stream']>().toEqualTypeOf<Observable<BackgroundEvent>>();
    expectTypeOf<BackgroundEvent['type']>().toEqualTypeOf<BackgroundEventType>();
    expectTypeOf<BackgroundEvent['at']>().toEqualTypeOf<Date>();
  });

  it('is narrowed by the type', () => {
    expectTypeOf<Extract<BackgroundEvent, { type: 'queue.draining' }>>().toEqualTypeOf<
      EventOf<'queue.draining'>
    >();
    const narrow = (event: BackgroundEvent) => {
      if (event.type !== 'service.restarting') return undefined;
      expectTypeOf(event).toEqualTypeOf<EventOf<'service.restarting'>>();
      return event.delayMs;
    };
    expectTypeOf(narrow).returns.toEqualTypeOf<number | undefined>();
  });

  it('is closed, so that a switch over it can be exhaustive', () => {
    type OfTask = Extract<BackgroundEvent, { type: `task.${string}` }>;
    // Without a default and without a last return: a case that is missing does not compile.
    const describeTask = (event: OfTask): string => {
      switch (event.type) {
        case 'task.enqueued':
        case 'task.started':
        case 'task.completed':
        case 'task.failed':
        case 'task.retrying':
        case 'task.discarded':
        case 'task.deduplicated':
        case 'task.replaced':
        case 'task.retried':
        case 'task.interrupted':
        case 'task.superseded':
        case 'task.resultLost':
          return event.name;
        case 'task.scheduled':
          return event.runAt.toISOString();
        case 'task.expired':
          return `${event.expiresInMs}`;
        case 'task.timedOut':
          return `${event.timeoutMs}`;
        case 'task.overran':
          return `${event.graceMs}`;
        case 'task.cancelled':
          return String(event.reason);
        case 'task.dropped':
          return event.fullMode;
      }
    };
    expectTypeOf(describeTask).toBeFunction();
    const rest = (event: BackgroundEvent) => {
      if (event.type.startsWith('task.')) return;
      // @ts-expect-error: there are others left
      const nothing: never = event;
      void nothing;
    };
    expectTypeOf(rest).toBeFunction();
  });

  it('always says by type and details which event it is, never by an open text', () => {
    expectTypeOf<string>().not.toExtend<BackgroundEventType>();
    expectTypeOf<LogTarget>().not.toBeAny();
  });
});
