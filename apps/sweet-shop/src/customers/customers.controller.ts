import { Body, Controller, Post } from '@nestjs/common';
import { InjectTaskQueue, TaskQueue } from 'nestjs-nightshift';
import { waitForRoom } from '../night-shift/room-in-queue.js';
import { ShopConfig } from '../shop.config.js';
import { CustomerRegister } from './customer-register.js';
import { parseCustomer, type Customer } from './customer.js';
import { sendWelcome } from './send-welcome.js';

@Controller('customers')
export class CustomersController {
  constructor(
    @InjectTaskQueue('mail') private readonly mailQueue: TaskQueue,
    private readonly register: CustomerRegister,
    private readonly config: ShopConfig,
  ) {}

  @Post()
  async add(@Body() body: unknown): Promise<Customer> {
    const customer = this.register.add(parseCustomer(body));
    try {
      // Resolves when the mail is sure to be tried, not when it is sent.
      await waitForRoom(this.config.patienceMs, (signal) =>
        this.mailQueue.enqueue(sendWelcome, customer, { signal }),
      );
    } catch (error) {
      this.register.remove(customer); // or a second try would find the address taken, and no mail would ever go out
      throw error;
    }
    return customer;
  }
}
