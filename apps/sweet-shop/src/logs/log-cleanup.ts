import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { CronExpression } from '@nestjs/schedule';
import { BackgroundService, type TickContext } from 'nestjs-nightshift';
import { ShopLog } from './shop-log.js';

const keptForMs = 7 * 24 * 60 * 60 * 1_000;

/** Removes old log files by the calendar: at three at night, whatever the time zone of the machine. */
@BackgroundService({ cron: CronExpression.EVERY_DAY_AT_3AM, timeZone: 'UTC' })
export class LogCleanup implements BackgroundService {
  private readonly logger = new Logger(LogCleanup.name);

  constructor(private readonly log: ShopLog) {}

  async execute(stoppingToken: AbortSignal, { startedAt }: TickContext): Promise<void> {
    const oldest = new Date(startedAt.getTime() - keptForMs).toISOString().slice(0, 10);
    const names = await readdir(this.log.directory);
    const old = names.filter((name) => /^\d{4}-\d\d-\d\d\.log$/.test(name) && name < oldest);
    for (const name of old) {
      stoppingToken.throwIfAborted(); // the rest can wait until tomorrow
      await rm(join(this.log.directory, name), { force: true });
    }
    if (old.length > 0) this.logger.log(`Removed ${old.join(', ')}`);
  }
}
