import { Controller, Get, HttpCode, NotFoundException, Param, Post, Query } from '@nestjs/common';
import {
  BackgroundAdmin,
  BackgroundHost,
  type BackgroundSnapshot,
  type ServiceState,
  type TaskCounts,
  type TaskDetails,
  type TaskPage,
  type TaskState,
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

  /** The tasks of a queue, the newest first: those of one state, or all. */
  @Get('queues/:queue/tasks')
  async tasks(
    @Param('queue') queue: string,
    @Query('state') state?: TaskState,
    @Query('after') after?: string,
  ): Promise<TaskPage & { counts: TaskCounts }> {
    const states = state === undefined ? undefined : [state];
    const page = await this.admin.searchTasks(queue, { states, after });
    return { ...page, counts: await this.admin.counts(queue) };
  }

  /** One task with its attempts, errors and log. */
  @Get('queues/:queue/tasks/:id')
  async task(@Param('queue') queue: string, @Param('id') id: string): Promise<TaskDetails> {
    const task = await this.admin.task(queue, id);
    if (task === undefined) throw new NotFoundException(`Queue '${queue}' has no task ${id}.`);
    return task;
  }

  /** Runs dead tasks again: one, or all of them. */
  @Post('queues/:queue/retry')
  @HttpCode(200)
  async retry(@Param('queue') queue: string, @Query('id') id?: string): Promise<{ retried: number }> {
    const filter = id === undefined ? {} : { ids: [id] };
    return { retried: await this.admin.retryTasks(queue, { ...filter, states: ['dead'] }) };
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
