import { BadRequestException } from '@nestjs/common';

export interface NewCustomer {
  readonly name: string;
  readonly email: string;
}

export interface Customer extends NewCustomer {
  readonly id: number;
}

export function parseCustomer(body: unknown): NewCustomer {
  const { name, email } = (body ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || !/^\S.{0,99}$/.test(name))
    throw new BadRequestException('name must be one line of at most 100 characters.');
  if (typeof email !== 'string' || email.length > 254 || !/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(email))
    throw new BadRequestException('email must be a mail address.');
  return { name, email };
}
