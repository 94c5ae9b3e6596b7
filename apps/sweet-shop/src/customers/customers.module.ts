import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { MailModule } from '../mail/mail.module.js';
import { CustomerIntake } from './customer-intake.js';
import { CustomerRegister } from './customer-register.js';
import { CustomersController } from './customers.controller.js';
import { WelcomeMail } from './welcome-mail.js';

@Module({
  imports: [DatabaseModule, MailModule],
  controllers: [CustomersController],
  providers: [CustomerIntake, CustomerRegister, WelcomeMail],
})
export class CustomersModule {}
