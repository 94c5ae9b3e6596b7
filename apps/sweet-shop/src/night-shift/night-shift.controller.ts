import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  BackgroundAdmin,
  BackgroundHost,
  type BackgroundSnapshot,
  type ServiceState,
} from 'nestjs-nightshift';
import { ConnectionPool } from '../database/connection-pool.js';

/** Shows what runs, and steers it. A real shop puts a guard before this; the example listens on localhost only. */
@Controller('night-shift')
export class NightShiftController {
  constructor(
    private readonly admin: BackgroundAdmin,
    private readonly host: BackgroundHost,
    private readonly pool: ConnectionPool,
  ) {}

  @Get()
  snapshot(): BackgroundSnapshot & { connections: ConnectionPool['stats'] } {
    return { ...this.admin.snapshot(), connections: this.pool.stats };
  }

  /** Answers when the tick has ended. One that failed is no failure of the request. */
  @Post(':service/trigger')
  @HttpCode(200)
  async trigger(@Param('service') service: string): Promise<object> {
    const { error, ...tick } = await this.host.service(service).trigger();
    return error === undefined ? tick : { ...tick, error: String(error) };
  }

  @Post(':service/pause')
  @HttpCode(200)
  pause(@Param('service') service: string): { state: ServiceState } {
    const handle = this.host.service(service);
    handle.pause();
    return { state: handle.state };
  }

  @Post(':service/resume')
  @HttpCode(200)
  resume(@Param('service') service: string): { state: ServiceState } {
    const handle = this.host.service(service);
    handle.resume();
    return { state: handle.state };
  }
}
