import { expect, it } from 'vitest';
import { rabbitmq, Wholesaler } from '../services/rabbitmq/rabbitmq.js';
import { describeWithService } from '../services/service.js';
import type { Child } from './child.js';
import { SweetShop } from './sweet-shop.js';

/** The orders that a process has packed; one that it packed twice is there twice. */
function packedBy(...children: readonly Child[]): string[] {
  return children.flatMap(({ output }) => [...output.matchAll(/Packed order (\S+):/g)].map(([, id]) => id!));
}

/** A shop with some hundred orders before it, of which it has packed a few. */
async function openUnderLoad(url: string) {
  const shop = new SweetShop({ AMQP_URL: url, PACKING_MS: '20' });
  const wholesaler = await Wholesaler.connect(url, shop.name);
  const child = shop.start();
  await child.line('Receiving orders');
  const ids = (await wholesaler.order(100)).toSorted();
  await child.line('Packed order order-10:');
  const reopen = async (): Promise<Child> => {
    const next = shop.start();
    await expect.poll(() => packedBy(child, next).length, { timeout: 15_000 }).toBeGreaterThanOrEqual(100);
    return next;
  };
  return { child, ids, wholesaler, reopen };
}

await describeWithService(rabbitmq, 'a process that receives orders', (url) => {
  it('leaves every order packed, or at the broker, when SIGTERM comes under load', async () => {
    const { child, ids, wholesaler, reopen } = await openUnderLoad(url);
    child.kill('SIGTERM');
    expect(await child.end).toEqual({ code: 0, signal: null });
    const packed = packedBy(child);
    expect(await wholesaler.waiting()).toBe(100 - packed.length);
    expect(packed.length).toBeLessThan(100);

    await using next = await reopen();
    expect(packedBy(child, next).toSorted()).toEqual(ids); // each of them once
  });

  it('loses no order when it is killed', async () => {
    const { child, ids, wholesaler, reopen } = await openUnderLoad(url);
    child.kill('SIGKILL');
    await child.end;
    await using next = await reopen();
    await expect.poll(() => [...new Set(packedBy(child, next))].toSorted()).toEqual(ids);
    next.kill('SIGTERM');
    expect(await next.end).toEqual({ code: 0, signal: null });
    expect(await wholesaler.waiting()).toBe(0);
  });
});
