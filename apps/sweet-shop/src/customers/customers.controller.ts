import { Body, Controller, Post } from '@nestjs/common';
import { CustomerIntake } from './customer-intake.js';
import { parseCustomer, type Customer } from './customer.js';

@Controller('customers')
export class CustomersController {
  constructor(private readonly intake: CustomerIntake) {}

  @Post()
  add(@Body() body: unknown): Promise<Customer> {
    return this.intake.accept(parseCustomer(body));
  }
}
