import { Logger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { runUntilStopped } from 'nestjs-nightshift';

async function openShop(): Promise<INestApplicationContext> {
  // Not imported above: a setting that cannot be used shows while the modules load.
  const { AppModule } = await import('./app.module.js');
  const { banner, workerBanner } = await import('./banner.js');
  const { shopConfig } = await import('./shop.config.js');
  if (shopConfig.role === 'worker') {
    const worker = await NestFactory.createApplicationContext(AppModule, { abortOnError: false });
    process.stdout.write(workerBanner(worker));
    return worker;
  }
  const app = await NestFactory.create(AppModule, { abortOnError: false });
  try {
    await app.listen(shopConfig.port, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  process.stdout.write(banner(app, await app.getUrl()));
  return app;
}

function explain(error: unknown): string {
  const { code, port, message } = error as Error & { code?: string; port?: number };
  if (code === 'EADDRINUSE') return `Port ${port} is taken. Choose another one: PORT=${port! + 1} npm start`;
  return message;
}

try {
  await runUntilStopped(await openShop());
} catch (error) {
  new Logger('SweetShop').error(explain(error));
  process.exitCode = 1;
}
