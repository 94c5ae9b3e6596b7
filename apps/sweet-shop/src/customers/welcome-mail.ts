import { Logger } from '@nestjs/common';
import { TaskHandler } from 'nestjs-nightshift';
import { Mailer } from '../mail/mailer.js';
import type { NewCustomer } from './customer.js';
import { sendWelcome } from './send-welcome.js';

@TaskHandler(sendWelcome)
export class WelcomeMail implements TaskHandler<typeof sendWelcome> {
  private readonly logger = new Logger(WelcomeMail.name);

  constructor(private readonly mailer: Mailer) {}

  async handle({ name, email }: NewCustomer): Promise<void> {
    await this.mailer.send({
      to: { name, address: email },
      subject: 'Welcome to the sweet shop',
      text: `Dear ${name},\n\nyour first humbug is on us.\n`,
    });
    this.logger.log(`Welcomed ${name}`);
  }
}
