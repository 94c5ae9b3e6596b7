import { BadRequestException } from '@nestjs/common';

export interface NewOrder {
  readonly sweet: string;
  readonly amount: number;
  /** When it was placed: for orders that were taken on paper. */
  readonly placedAt: Date;
}

export interface Order extends NewOrder {
  readonly id: number;
}

export function parseOrder(body: unknown): NewOrder {
  const { sweet, amount = 1, placedAt = Date.now() } = (body ?? {}) as Record<string, unknown>;
  if (typeof sweet !== 'string' || sweet.trim() === '')
    throw new BadRequestException('sweet must be a name.');
  if (!Number.isSafeInteger(amount) || (amount as number) < 1)
    throw new BadRequestException('amount must be a whole number of 1 or more.');
  const date = new Date(placedAt as string | number);
  if (Number.isNaN(date.getTime())) throw new BadRequestException('placedAt must be a date.');
  return { sweet: sweet.trim(), amount: amount as number, placedAt: date };
}
