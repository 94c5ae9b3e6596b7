import { BadRequestException } from '@nestjs/common';
import { z } from 'zod';

/** Both the body of the request and the payload of the task that welcomes the customer. */
export const newCustomer = z.object({
  name: z.string().regex(/^\S.{0,99}$/, 'must be one line of at most 100 characters'),
  email: z
    .string()
    .max(254)
    .regex(/^[^\s@<>,;]+@[^\s@<>,;]+$/, 'must be a mail address'),
});

export type NewCustomer = z.infer<typeof newCustomer>;

export interface Customer extends NewCustomer {
  readonly id: number;
}

export function parseCustomer(body: unknown): NewCustomer {
  const { data, error } = newCustomer.safeParse(body);
  if (error !== undefined) throw new BadRequestException(z.prettifyError(error));
  return data;
}
