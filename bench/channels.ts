import chan from '@ayonli/jsext/chan';
import { BaseChannel } from 'async-channel';
import { createBoundedChannel } from 'nestjs-nightshift/channels';
import {
  inTurns,
  speed,
  type Effort,
  type Prepared,
  type Repeatable,
  type Role,
  type Row,
} from './comparison.js';
import { amountOf, capacity, withoutPromises } from './channel-variants.js';
import { atLeastTimes } from './goal.js';

/** A channel as every one of them has it. */
interface Ends {
  write(item: number): Promise<void>;
  read(): Promise<unknown>;
}

async function concurrently({ write, read }: Ends, amount: number): Promise<void> {
  const producer = async (): Promise<void> => {
    for (let item = 1; item <= amount; item += 1) await write(item);
  };
  const consumer = async (): Promise<void> => {
    for (let i = 0; i < amount; i += 1) await read();
  };
  await Promise.all([producer(), consumer()]);
}

async function alternately({ write, read }: Ends, amount: number): Promise<void> {
  for (let item = 1; item <= amount; item += 1) {
    await write(item);
    await read();
  }
}

const channels: readonly { name: string; role: Role; open: () => Ends }[] = [
  {
    name: 'write(), read()',
    role: 'ours',
    open() {
      const { reader, writer } = createBoundedChannel<number>(capacity);
      return { write: (item) => writer.write(item), read: () => reader.read() };
    },
  },
  {
    name: '@ayonli/jsext chan',
    role: 'peer',
    open() {
      const channel = chan<number>(capacity);
      return { write: (item) => channel.send(item), read: () => channel.recv() };
    },
  },
  {
    name: 'async-channel',
    role: 'peer',
    open() {
      const channel = new BaseChannel<number>(capacity);
      return { write: (item) => channel.push(item), read: () => channel.get() };
    },
  },
  {
    name: 'no channel: two settled promises',
    role: 'reference',
    open() {
      const done = Promise.resolve();
      return { write: () => done, read: () => Promise.resolve(1) };
    },
  },
];

const shared = { unit: 'items/ms', better: 'higher' } as const;

function contenders(loop: (ends: Ends, amount: number) => Promise<void>): Repeatable[] {
  return channels.map(({ name, role, open }) => {
    const prepare = async (effort: Effort): Promise<Prepared> =>
      speed(amountOf(effort), (amount) => loop(open(), amount));
    return role === 'peer' ? { name, role, goal: atLeastTimes(2), prepare } : { name, role, prepare };
  });
}

const bound =
  'Two awaits. The reference has no channel at all and only awaits two settled promises for each item; the fastest peer ' +
  'comes near to that, so no channel can be twice as fast while every write and every read is awaited. What is left is to ' +
  'await less often: `waitToWrite()` and `waitToRead()` wait once for many items.';

/** Bounded channels of capacity 100, an awaited write and an awaited read for each item. */
export function channelRows(): Row[] {
  return [
    inTurns(
      {
        ...shared,
        id: 'channel-concurrent',
        title: 'A bounded channel, one producer and one consumer at once',
        how: 'Capacity 100; each write and each read is awaited before the next. The variants are our own ways without a promise for each item. The peers are the fastest of those packages on npm that bound a channel and let writers wait, and a much used one; `@lesomnus/channel`, `csp-ts`, `extra-promise`, `chanpuru`, `medium`, `@nodeguy/channel`, `ts-chan`, `async-csp`, the queue of `effect` and a `TransformStream` were tried, too, and none is as fast as the first.',
        bound,
      },
      [...contenders(concurrently), ...withoutPromises],
    ),
    inTurns(
      {
        ...shared,
        id: 'channel-alternate',
        title: 'A bounded channel, a write and then a read',
        how: 'Capacity 100; one loop awaits a write and then a read, so nobody ever waits for the other side.',
        bound,
      },
      contenders(alternately),
    ),
  ];
}
