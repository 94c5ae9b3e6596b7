// Orders arrive over HTTP all the time. The one named `held` is placed once stopping has begun, the one named `late` once
// the queue drains, and the task of `endless` never ends. With `--drain-early` the queue drains while HTTP is still open.
import { Controller, HttpCode, Module, Param, Post, ServiceUnavailableException } from '@nestjs/common';
import {
  ApplicationLifetime,
  BackgroundEvents,
  BackgroundModule,
  QueueClosedError,
  TaskQueue,
} from 'nestjs-nightshift';
import { aborted, asked, serve } from './serve.js';

@Controller('orders')
class Orders {
  constructor(
    private readonly queue: TaskQueue,
    private readonly lifetime: ApplicationLifetime,
    private readonly events: BackgroundEvents,
  ) {}

  @Post(':id')
  @HttpCode(202)
  async place(@Param('id') id: string): Promise<void> {
    if (id === 'held' || id === 'late') console.log(`holding ${id}`);
    if (id === 'held') await aborted(this.lifetime.stopping);
    if (id === 'late') await new Promise((resolve) => this.events.on('queue.draining', resolve));
    const work = { [id]: () => this.prepare(id) }[id]!; // named after the order
    await this.queue.enqueue(work).catch((error: unknown) => {
      throw error instanceof QueueClosedError ? new ServiceUnavailableException() : error;
    });
  }

  private async prepare(id: string): Promise<void> {
    if (id === 'endless') await new Promise(() => {});
    console.log(`done ${id}`);
  }
}

const drainOn = asked('--drain-early') ? 'onModuleDestroy' : 'onApplicationShutdown';
const options = { drainOn, shutdownTimeout: '500ms', queue: { concurrency: 2 } } as const;

@Module({ imports: [BackgroundModule.forRoot(options)], controllers: [Orders] })
class AppModule {}

await serve(AppModule);
