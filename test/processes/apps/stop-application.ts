// The application is stopped from within: by a tick, by a request, or by a service that is just being started.
import { Controller, Module, Post } from '@nestjs/common';
import { ApplicationLifetime, BackgroundModule, BackgroundService, HostedService } from 'nestjs-nightshift';
import { asked, serve } from './serve.js';

@BackgroundService({ every: '150ms', enabled: asked('--from-tick') })
class Clerk implements BackgroundService {
  constructor(private readonly lifetime: ApplicationLifetime) {}

  execute(): void {
    this.lifetime.stopApplication('closing time');
  }
}

@Controller()
class Office {
  constructor(private readonly lifetime: ApplicationLifetime) {}

  @Post('stop')
  stop(): void {
    this.lifetime.stopApplication('the boss said so');
  }
}

@HostedService({ enabled: asked('--from-start') })
class Doorman implements HostedService {
  constructor(private readonly lifetime: ApplicationLifetime) {}

  start(): void {
    this.lifetime.stopApplication('the key is lost');
  }

  stop(): void {
    console.log('door shut');
  }
}

@HostedService()
class Lights implements HostedService {
  start(): void {
    console.log('lights on');
  }

  stop(): void {
    console.log('lights off');
  }
}

@Module({
  imports: [BackgroundModule.forRoot()],
  controllers: [Office],
  providers: [Clerk, Doorman, Lights],
})
class AppModule {}

await serve(AppModule);
