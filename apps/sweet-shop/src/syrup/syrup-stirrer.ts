import { Logger } from '@nestjs/common';
import { BackgroundService, PeriodicTimer } from 'nestjs-nightshift';

/** Long-running: one `execute()` from start to stop, with a rhythm of its own. */
@BackgroundService()
export class SyrupStirrer implements BackgroundService {
  private readonly logger = new Logger(SyrupStirrer.name);

  async execute(stoppingToken: AbortSignal): Promise<void> {
    using timer = new PeriodicTimer('10s');
    while (await timer.waitForNextTick({ signal: stoppingToken })) {
      this.logger.debug('Stirred the syrup');
    }
  }
}
