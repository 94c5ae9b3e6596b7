import { Controller, Get } from '@nestjs/common';
import { CatchAllMailServer, type CaughtMail } from './catch-all-mail-server.js';

@Controller('mails')
export class MailsController {
  constructor(private readonly server: CatchAllMailServer) {}

  @Get()
  caught(): readonly CaughtMail[] {
    return this.server.mails;
  }
}
