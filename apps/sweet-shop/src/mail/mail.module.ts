import { Module } from '@nestjs/common';
import { BackgroundModule } from 'nestjs-nightshift';
import { CatchAllMailServer } from './catch-all-mail-server.js';
import { Mailer } from './mailer.js';
import { MailsController } from './mails.controller.js';

@Module({
  imports: [BackgroundModule.registerQueue({ name: 'mail', concurrency: 2, timeout: '30s' })],
  controllers: [MailsController],
  providers: [CatchAllMailServer, Mailer],
  exports: [Mailer],
})
export class MailModule {}
