import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ShopConfig } from '../shop.config.js';
import type { WholesaleOrder } from './pack-order.js';

/** Where somebody packs sweets into boxes, which takes a moment. */
@Injectable()
export class PackingTable {
  constructor(private readonly config: ShopConfig) {}

  async pack(_order: WholesaleOrder, signal: AbortSignal): Promise<void> {
    await sleep(this.config.packingMs, undefined, { signal });
  }
}
