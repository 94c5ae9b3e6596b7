import { createBoundedChannel } from 'nestjs-nightshift/channels';
import { speed, type Effort, type Repeatable } from './comparison.js';

export const capacity = 100;
export const amountOf = ({ scale }: Effort): number => 300_000 * scale;

/** Our own ways to write and read without a promise for each item. */
export const withoutPromises: readonly Repeatable[] = [
  {
    name: 'waitToWrite()/tryWrite(), waitToRead()/tryRead()',
    role: 'variant',
    prepare: async (effort) =>
      speed(amountOf(effort), async (amount) => {
        const { reader, writer } = createBoundedChannel<number>(capacity);
        const producer = async (): Promise<void> => {
          for (let item = 1; item <= amount; item += 1)
            while (!writer.tryWrite(item)) await writer.waitToWrite();
          writer.complete();
        };
        const consumer = async (): Promise<void> => {
          while (await reader.waitToRead()) while (reader.tryRead() !== undefined);
        };
        await Promise.all([producer(), consumer()]);
      }),
  },
  {
    name: 'write(), for await',
    role: 'variant',
    prepare: async (effort) =>
      speed(amountOf(effort), async (amount) => {
        const { reader, writer } = createBoundedChannel<number>(capacity);
        const producer = async (): Promise<void> => {
          for (let item = 1; item <= amount; item += 1) await writer.write(item);
          writer.complete();
        };
        const consumer = async (): Promise<void> => {
          for await (const item of reader) void item;
        };
        await Promise.all([producer(), consumer()]);
      }),
  },
];
