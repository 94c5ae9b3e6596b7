import { Injectable } from '@nestjs/common';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { ShopConfig } from '../shop.config.js';
import { CatchAllMailServer } from './catch-all-mail-server.js';

@Injectable()
export class Mailer {
  constructor(
    private readonly config: ShopConfig,
    private readonly catchAll: CatchAllMailServer,
  ) {}

  get url(): string {
    return this.config.smtpUrl ?? this.catchAll.url;
  }

  async send(mail: Pick<SendMailOptions, 'to' | 'subject' | 'text'>): Promise<void> {
    await createTransport(this.url).sendMail({ from: 'The sweet shop <shop@example.com>', ...mail });
  }
}
