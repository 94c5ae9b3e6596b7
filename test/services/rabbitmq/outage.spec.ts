import { EventEmitter, once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { openGateway } from '../gateway.js';
import { describeWithService } from '../service.js';
import { rabbitmq } from './rabbitmq.js';
import { openShop } from './shop.js';

await describeWithService(rabbitmq, 'an outage of RabbitMQ', (url) => {
  it('ends, orders go on, and what comes again is not packed twice', async () => {
    const gateway = await openGateway(url);
    const table = new EventEmitter();
    const begun: string[] = [];
    const pack = async (id: string): Promise<void> => {
      begun.push(id);
      await once(table, id);
    };
    const shop = await openShop(url, { shopUrl: gateway.url, pack });
    const { wholesaler, packed, started, state, host, close } = shop;
    await wholesaler.order(3);
    await expect.poll(() => begun).toHaveLength(3);
    table.emit('order-1'); // before the outage
    await expect.poll(() => packed).toEqual(['order-1']);
    await gateway.close();
    await expect.poll(state).toBe('lost');
    expect(host.service('OrderReceiver').state).toBe('running');
    table.emit('order-2'); // during it
    await wholesaler.order(1);
    await gateway.reopen();
    await expect.poll(() => begun, { timeout: 10_000 }).toContain('order-4');
    expect(state()).toBe('receiving');
    for (const id of ['order-3', 'order-4']) table.emit(id); // and after it
    await expect.poll(() => packed).toHaveLength(4);
    await close();
    expect(await wholesaler.waiting()).toBe(0);
    expect(started).toEqual([1, 2, 3, 4].map((n) => `pack order-${n}`));
  });

  it('uses up no delivery when it is the store of the tasks that is away', async () => {
    const { wholesaler, packed, queue, close } = await openShop(url);
    const enqueue = vi.spyOn(queue, 'enqueue').mockRejectedValueOnce(new Error('the disk is full'));
    await wholesaler.order(1);
    await expect.poll(() => packed, { timeout: 5_000 }).toEqual(['order-1']);
    expect(enqueue).toHaveBeenCalledTimes(2);
    await close();
    expect(await wholesaler.waiting()).toBe(0);
  });

  it('gives back what could not be stored when the shop stops', async () => {
    const { wholesaler, queue, close } = await openShop(url);
    const enqueue = vi.spyOn(queue, 'enqueue').mockRejectedValue(new Error('the disk is full'));
    await wholesaler.order(3);
    await expect.poll(() => enqueue.mock.calls.length).toBeGreaterThanOrEqual(3);
    await close();
    await expect.poll(() => wholesaler.waiting()).toBe(3);
  });

  it('does not hold up the stop', async () => {
    const gateway = await openGateway(url);
    const { state, host, close } = await openShop(url, { shopUrl: gateway.url });
    await gateway.close();
    await expect.poll(state).toBe('lost');
    await close();
    expect(host.service('OrderReceiver').state).toBe('stopped');
  });
});
