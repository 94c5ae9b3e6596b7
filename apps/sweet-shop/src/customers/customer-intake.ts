import { Injectable } from '@nestjs/common';
import { DurableTaskQueue, InjectTaskQueue } from 'nestjs-nightshift';
import { waitForRoom } from '../night-shift/room-in-queue.js';
import { ShopConfig } from '../shop.config.js';
import { CustomerRegister } from './customer-register.js';
import type { Customer, NewCustomer } from './customer.js';
import { sendWelcome } from './send-welcome.js';

/** Takes customers in, each with the mail that welcomes them: no customer without a mail, and no mail without a customer. */
@Injectable()
export class CustomerIntake {
  constructor(
    @InjectTaskQueue('mail') private readonly mailQueue: DurableTaskQueue,
    private readonly register: CustomerRegister,
    private readonly config: ShopConfig,
  ) {}

  /** Resolves when the mail is sure to be tried, not when it is sent. */
  accept(newCustomer: NewCustomer): Promise<Customer> {
    return this.config.nightShiftFile === undefined
      ? this.acceptApart(newCustomer)
      : this.acceptTogether(newCustomer);
  }

  /** Tasks are in the shop's own database: one transaction holds the customer and the mail. */
  private acceptTogether(newCustomer: NewCustomer): Promise<Customer> {
    return this.register.addTogether(newCustomer, (customer, transaction) =>
      this.mailQueue.enqueue(sendWelcome, customer, { transaction }),
    );
  }

  /** Tasks are elsewhere: a crash between the two leaves a customer whom nobody welcomes. */
  private async acceptApart(newCustomer: NewCustomer): Promise<Customer> {
    const customer = this.register.add(newCustomer);
    try {
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
