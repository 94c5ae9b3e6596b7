import { EventEmitter, once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { Gateway } from '../gateway.js';
import { describeWithService } from '../service.js';
import { rabbitmq } from './rabbitmq.js';
import { openShop } from './shop.js';

await describeWithService(rabbitmq, 'an outage of RabbitMQ', (url) => {
  it('ends, orders go on, and what comes again is not packed twice', async () => {
    const gateway = await Gateway.open(url, 5_672);
    const table = new EventEmitter();
    const begun: string[] = [];
    const pack = async (id: string): Promise<void> => {
      begun.push(id);
      if (id === 'order-2') await once(table, 'clear');
    };
    const { wholesaler, packed, state, host, close } = await openShop(url, { shopUrl: gateway.url, pack });
    await wholesaler.order(2);
    await expect.poll(() => packed).toEqual(['order-1']);
    await gateway.close();
    await expect.poll(state).toBe('lost');
    expect(host.service('OrderReceiver').state).toBe('running');

    await wholesaler.order(1);
    await gateway.reopen();
    await expect.poll(() => packed, { timeout: 10_000 }).toContain('order-3');
    expect(state()).toBe('receiving');
    table.emit('clear'); // it was begun before the outage, and came again after it
    await expect.poll(() => packed).toContain('order-2');
    await close();
    expect(await wholesaler.waiting()).toBe(0);
    expect(begun).toEqual(['order-1', 'order-2', 'order-3']);
  });

  it('is not needed for an order to come again: one that cannot be stored does', async () => {
    const { wholesaler, packed, queue } = await openShop(url);
    vi.spyOn(queue, 'enqueue').mockRejectedValueOnce(new Error('the disk is full'));
    await wholesaler.order(1);
    await expect.poll(() => packed, { timeout: 5_000 }).toEqual(['order-1']);
  });

  it('does not hold up the stop', async () => {
    const gateway = await Gateway.open(url, 5_672);
    const { state, host, close } = await openShop(url, { shopUrl: gateway.url });
    await gateway.close();
    await expect.poll(state).toBe('lost');
    await close();
    expect(host.service('OrderReceiver').state).toBe('stopped');
  });
});
