/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import {
  constant,
  createBoundedChannel,
  createPriorityChannel,
  createUnboundedChannel,
  exponential,
  linear,
  PeriodicTimer,
  type Backoff,
  type Channel,
  type ChannelReader,
  type ChannelWriter,
  type Clock,
  type Duration,
  type Item,
} from 'nestjs-nightshift/channels';
import { describe, expectTypeOf, it } from 'vitest';

interface Order {
  readonly id: number;
}

describe('the items of a channel', () => {
  it('are of the type that it was created for, at both ends', () => {
    const { reader, writer } = createBoundedChannel<Order>(1);
    expectTypeOf(reader).toEqualTypeOf<ChannelReader<Order>>();
    expectTypeOf(writer).toEqualTypeOf<ChannelWriter<Order>>();
    expectTypeOf(reader.read).returns.toEqualTypeOf<Promise<Order>>();
    expectTypeOf(reader.tryRead).returns.toEqualTypeOf<Order | undefined>();
    expectTypeOf(reader.tryPeek).returns.toEqualTypeOf<Order | undefined>();
    expectTypeOf(reader.readAll).returns.toEqualTypeOf<AsyncIterable<Order>>();
    expectTypeOf(writer.tryWrite).parameters.toEqualTypeOf<[item: Order]>();
    // @ts-expect-error: not an order
    const wrong = () => writer.write({ id: '1' });
    expectTypeOf(wrong).toBeFunction();
  });

  it('follow from the options when these say it', () => {
    const dropping = createBoundedChannel({
      capacity: 1,
      fullMode: 'dropOldest',
      onDropped: (order: Order) => void order,
    });
    const jobs = createPriorityChannel({ compare: (one: Order, other: Order) => one.id - other.id });
    expectTypeOf(dropping).toEqualTypeOf<Channel<Order>>();
    expectTypeOf(jobs).toEqualTypeOf<Channel<Order>>();
  });

  it('may be anything but undefined', () => {
    expectTypeOf<null>().toExtend<Item>();
    expectTypeOf<0 | '' | false | symbol>().toExtend<Item>();
    expectTypeOf<Promise<undefined>>().toExtend<Item>();
    expectTypeOf<undefined>().not.toExtend<Item>();
    expectTypeOf<void>().not.toExtend<Item>();
    const wrong = () => [
      // @ts-expect-error: undefined means that there is no item
      createBoundedChannel<undefined>(1),
      // @ts-expect-error: undefined means that there is no item
      createUnboundedChannel<Order | undefined>(),
      // @ts-expect-error: a signal without a value is `null`, or `true`
      createUnboundedChannel<void>(),
      // @ts-expect-error: it may be undefined
      createPriorityChannel<number | undefined>({ compare: () => 0 }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });

  it('may be generic, with undefined left out', () => {
    const create = <T extends Item>(capacity: number) => createBoundedChannel<T>(capacity);
    expectTypeOf(create<Order>).returns.toEqualTypeOf<Channel<Order>>();
    // @ts-expect-error: T may be undefined
    const wrong = <T>(): Channel<T> => createUnboundedChannel<T>();
    expectTypeOf(wrong).toBeFunction();
  });

  it('may be narrower where they are read and wider where they are written', () => {
    expectTypeOf<ChannelReader<Order>>().toExtend<ChannelReader<unknown>>();
    expectTypeOf<ChannelReader<unknown>>().not.toExtend<ChannelReader<Order>>();
  });

  it('are items again in a loop over the reader', () => {
    const loop = async (reader: ChannelReader<Order>) => {
      for await (const order of reader) return order;
      return undefined;
    };
    expectTypeOf<Awaited<ReturnType<typeof loop>>>().toEqualTypeOf<Order | undefined>();
  });
});

describe('the ends of a channel', () => {
  it('can be handed out and not replaced', () => {
    const change = (channel: Channel<Order>) => {
      // @ts-expect-error: readonly
      channel.reader = createUnboundedChannel<Order>().reader;
      // @ts-expect-error: readonly
      channel.reader.count = 0;
    };
    expectTypeOf(change).toBeFunction();
  });

  it('do each other’s work in no way', () => {
    expectTypeOf<ChannelReader<Order>>().not.toHaveProperty('write');
    expectTypeOf<ChannelWriter<Order>>().not.toHaveProperty('read');
  });
});

describe('the options of channels and timers', () => {
  it('refuse keys and values that nothing reads', () => {
    const wrong = (reader: ChannelReader<Order>, signal: AbortSignal) => [
      // @ts-expect-error: a slip of the pen
      createBoundedChannel<Order>({ capacity: 1, fullmode: 'wait' }),
      // @ts-expect-error: no such mode
      createBoundedChannel<Order>({ capacity: 1, fullMode: 'drop' }),
      // @ts-expect-error: a capacity is what makes it bounded
      createBoundedChannel<Order>({ fullMode: 'wait' }),
      // @ts-expect-error: there is no order without it
      createPriorityChannel<Order>({ capacity: 1 }),
      // @ts-expect-error: in an object, { signal }
      reader.read(signal),
      // @ts-expect-error: a signal is all it takes
      reader.read({ timeout: 100 }),
      // @ts-expect-error: a clock has more to it
      new PeriodicTimer('1s', { clock: { now: () => 0 } }),
      // @ts-expect-error: no such option
      exponential({ initial: '1s', maximum: '1m' }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });

  // Text such as '1h 30m', and what comes out of a configuration, is more than template literals can tell.
  it('take a duration as a number or as any text', () => {
    expectTypeOf<Duration>().toEqualTypeOf<number | string>();
    // @ts-expect-error: neither
    const wrong = () => new PeriodicTimer(new Date());
    expectTypeOf(wrong).toBeFunction();
  });

  it('take a backoff of one’s own wherever they take one', () => {
    expectTypeOf([constant, linear, exponential]).items.returns.toEqualTypeOf<Backoff>();
    expectTypeOf<{ delayMs(attempt: number): number }>().toExtend<Backoff>();
    expectTypeOf<() => number>().not.toExtend<Backoff>();
  });

  it('read a period as milliseconds and set it as any duration', () => {
    const change = (timer: PeriodicTimer) => {
      expectTypeOf(timer.period).toEqualTypeOf<number>();
      timer.period = '1s';
    };
    expectTypeOf(change).toBeFunction();
    expectTypeOf<Clock['monotonic']>().returns.toEqualTypeOf<number>();
  });
});
