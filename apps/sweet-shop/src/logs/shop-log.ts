import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { BackgroundEvents } from 'nestjs-nightshift';
import { ShopConfig } from '../shop.config.js';

const dayMs = 24 * 60 * 60 * 1_000;

/** Keeps a log file a day of what was done in the background, told by the events of the night shift. */
@Injectable()
export class ShopLog implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ShopLog.name);
  private written: Promise<void> = Promise.resolve();

  constructor(
    private readonly config: ShopConfig,
    private readonly events: BackgroundEvents,
  ) {}

  get directory(): string {
    return join(this.config.dataDir, 'logs');
  }

  async onModuleInit(): Promise<void> {
    if ((await mkdir(this.directory, { recursive: true })) !== undefined) await this.writeSamples();
    this.events.on('tick.completed', ({ at, service, durationMs }) =>
      this.append(at, `${service} ticked in ${Math.round(durationMs)} ms`),
    );
    this.events.on('task.completed', ({ at, queue, name, durationMs }) =>
      this.append(at, `${queue}: ${name} took ${Math.round(durationMs)} ms`),
    );
  }

  /** Comes after the queues have drained, so that their last tasks are in the file. */
  async onApplicationShutdown(): Promise<void> {
    await this.written;
  }

  private append(at: Date, text: string): void {
    this.written = this.written
      .then(() => appendFile(this.fileOf(at), `${at.toISOString()} ${text}\n`))
      .catch((error: Error) => this.logger.error(error.message));
  }

  /** A new shop has no old files, and so nothing to clean up. */
  private async writeSamples(): Promise<void> {
    for (const daysAgo of [8, 9, 10])
      await writeFile(this.fileOf(new Date(Date.now() - daysAgo * dayMs)), 'a sample of an old log file\n');
  }

  private fileOf(day: Date): string {
    return join(this.directory, `${day.toISOString().slice(0, 10)}.log`);
  }
}
