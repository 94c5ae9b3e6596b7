import { defineTask, exponential, type PayloadOf } from 'nestjs-nightshift';
import { z } from 'zod';

/** An order of a wholesaler. `id` is that of the message which brought it: the same order twice has it twice. */
export const packOrder = defineTask('pack-order', {
  payload: z.object({
    id: z.string().min(1).max(255),
    customer: z.string().min(1).max(100),
    sweet: z.string().min(1).max(100),
    amount: z.number().int().min(1),
  }),
  queue: 'wholesale',
  retry: { maxAttempts: 3, backoff: exponential({ initial: '200ms', factor: 2, jitter: 0.2 }) },
});

export type WholesaleOrder = PayloadOf<typeof packOrder>;
