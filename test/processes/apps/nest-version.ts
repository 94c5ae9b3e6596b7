// Which Nest the application and the library load. That it starts at all shows that both load the same one.
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BackgroundModule } from 'nestjs-nightshift';

@Module({ imports: [BackgroundModule.forRoot()] })
class AppModule {}

const places = { app: import.meta.url, library: import.meta.resolve('nestjs-nightshift') };
for (const [who, url] of Object.entries(places)) {
  for (const name of ['common', 'core', 'platform-express', 'platform-fastify']) {
    const { version } = createRequire(url)(`@nestjs/${name}/package.json`) as { version: string };
    console.log(`${who} ${name} ${version}`);
  }
}
const app = await NestFactory.create(AppModule);
await app.init();
await app.close();
