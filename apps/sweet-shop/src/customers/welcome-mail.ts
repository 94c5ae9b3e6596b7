import { Injectable } from '@nestjs/common';
import { InjectTaskQueue, TaskQueue } from 'nestjs-nightshift';
import { Mailer } from '../mail/mailer.js';
import { waitForRoom } from '../night-shift/room-in-queue.js';
import { ShopConfig } from '../shop.config.js';
import type { NewCustomer } from './customer.js';

@Injectable()
export class WelcomeMail {
  constructor(
    @InjectTaskQueue('mail') private readonly queue: TaskQueue,
    private readonly mailer: Mailer,
    private readonly config: ShopConfig,
  ) {}

  /** Resolves when the mail is sure to be tried, not when it is sent. */
  async enqueue({ name, email }: NewCustomer): Promise<void> {
    const sendWelcome = (): Promise<void> =>
      this.mailer.send({
        to: { name, address: email },
        subject: 'Welcome to the sweet shop',
        text: `Dear ${name},\n\nyour first humbug is on us.\n`,
      });
    await waitForRoom(this.config.patienceMs, (signal) => this.queue.enqueue(sendWelcome, { signal }));
  }
}
