import { Body, Controller, Post } from '@nestjs/common';
import { CustomerRegister } from './customer-register.js';
import { parseCustomer, type Customer } from './customer.js';
import { WelcomeMail } from './welcome-mail.js';

@Controller('customers')
export class CustomersController {
  constructor(
    private readonly register: CustomerRegister,
    private readonly welcome: WelcomeMail,
  ) {}

  @Post()
  async add(@Body() body: unknown): Promise<Customer> {
    const customer = this.register.add(parseCustomer(body));
    try {
      await this.welcome.enqueue(customer);
    } catch (error) {
      this.register.remove(customer); // or a second try would find the address taken, and no mail would ever go out
      throw error;
    }
    return customer;
  }
}
