// A worker that fails when it is asked to over HTTP. With `--ignore` that is to harm nothing else.
import { Controller, Get, Module, Post } from '@nestjs/common';
import { BackgroundModule, BackgroundService } from 'nestjs-nightshift';
import { asked, serve } from './serve.js';

@BackgroundService()
class Oven implements BackgroundService {
  fail = (): void => {};

  async execute(stoppingToken: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.fail = () => reject(new Error('the oven is cold'));
      stoppingToken.addEventListener('abort', () => resolve());
    });
  }
}

@Controller()
class Kitchen {
  constructor(private readonly oven: Oven) {}

  @Get()
  menu(): string {
    return 'open';
  }

  @Post('fail')
  failOven(): void {
    this.oven.fail();
  }
}

const exceptionBehavior = asked('--ignore') ? 'ignore' : 'stopHost';

@Module({
  imports: [BackgroundModule.forRoot({ exceptionBehavior })],
  controllers: [Kitchen],
  providers: [Oven],
})
class AppModule {}

await serve(AppModule);
