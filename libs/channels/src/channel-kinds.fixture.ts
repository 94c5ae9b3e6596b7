import {
  createBoundedChannel,
  createPriorityChannel,
  createUnboundedChannel,
  type Channel,
} from './index.js';

/** A kind of channel; every kind keeps the contract in channel.spec.ts. */
export interface ChannelKind {
  readonly name: string;
  readonly create: () => Channel<number>;
  /** How many items fit. */
  readonly room: number;
  /** What a full channel does with a writer. */
  readonly whenFull: 'waits' | 'drops';
}

export const compare = (a: number, b: number): number => a - b;
export const kinds: readonly ChannelKind[] = [
  { name: 'unbounded', create: () => createUnboundedChannel(), room: Infinity, whenFull: 'waits' },
  { name: 'priority', create: () => createPriorityChannel({ compare }), room: Infinity, whenFull: 'waits' },
  { name: 'bounded 1', create: () => createBoundedChannel(1), room: 1, whenFull: 'waits' },
  { name: 'bounded 3', create: () => createBoundedChannel(3), room: 3, whenFull: 'waits' },
  { name: 'rendezvous', create: () => createBoundedChannel(0), room: 0, whenFull: 'waits' },
  {
    name: 'bounded priority',
    create: () => createPriorityChannel({ compare, capacity: 2 }),
    room: 2,
    whenFull: 'waits',
  },
  ...(['dropOldest', 'dropNewest', 'dropWrite'] as const).flatMap((fullMode): ChannelKind[] => [
    {
      name: `bounded 2, ${fullMode}`,
      create: () => createBoundedChannel({ capacity: 2, fullMode }),
      room: 2,
      whenFull: 'drops',
    },
    {
      name: `rendezvous, ${fullMode}`,
      create: () => createBoundedChannel({ capacity: 0, fullMode }),
      room: 0,
      whenFull: 'drops',
    },
    {
      name: `bounded priority 2, ${fullMode}`,
      create: () => createPriorityChannel({ compare, capacity: 2, fullMode }),
      room: 2,
      whenFull: 'drops',
    },
  ]),
];
export const buffering = kinds.filter((kind) => kind.room > 0);
export const waiting = kinds.filter((kind) => kind.whenFull === 'waits');
export const blocking = waiting.filter((kind) => kind.room < Infinity);

/** Writes 1, 2, ... until that many are in it. */
export function fill(channel: Channel<number>, room: number): void {
  for (let item = 1; item <= room; item++) channel.writer.tryWrite(item);
}
