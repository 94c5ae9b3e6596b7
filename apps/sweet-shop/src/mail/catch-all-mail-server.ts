import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { simpleParser } from 'mailparser';
import { HostedService } from 'nestjs-nightshift';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';

export interface CaughtMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** How many mails are kept to look at. */
const kept = 100;

/**
 * A mail server that accepts everything and delivers nothing, so that the shop can be tried without a real one.
 *
 * Mail is still being sent while the queues drain, which is in the `stop` phase: queues start before all services, and
 * stop after them. So this server closes one phase later, in `stopped`, when everything else has stopped.
 */
@HostedService()
export class CatchAllMailServer implements HostedService {
  private readonly caught: CaughtMail[] = [];
  private readonly logger = new Logger(CatchAllMailServer.name);
  private readonly server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (message, _session, done) => void this.receive(message, done),
  });

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  /** The last mails, newest first. */
  get mails(): readonly CaughtMail[] {
    return this.caught;
  }

  constructor() {
    this.server.on('error', (error) => this.logger.warn(error.message)); // a client that hung up, for one
  }

  async start(): Promise<void> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening'); // rejects when there is an error first
  }

  stop(): void {}

  async stopped(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(resolve));
  }

  private async receive(message: SMTPServerDataStream, done: (error?: Error) => void): Promise<void> {
    try {
      const { to, subject = '', text = '' } = await simpleParser(message);
      const recipients = [to ?? []].flat().map((each) => each.text);
      this.caught.unshift({ to: recipients.join(', '), subject, text });
      this.caught.splice(kept);
    } catch (error) {
      return done(error as Error);
    }
    done();
  }
}
