import { describe, expect, it } from 'vitest';
import { ShopConfig } from '../shop.config.js';
import { runsHere } from './roles.js';

const services = ['queue:mail', 'CatchAllMailServer', 'OrderReceiver', 'RecipeCache', 'SyrupStirrer'];

function running(env: NodeJS.ProcessEnv): string[] {
  return services.filter((service) => runsHere(service, new ShopConfig(env)));
}

describe('runsHere()', () => {
  it.each([
    ['a shop without roles', {}, ['queue:mail', 'CatchAllMailServer', 'RecipeCache', 'SyrupStirrer']],
    ['a web process', { NIGHTSHIFT_ROLE: 'web' }, ['RecipeCache']],
    ['a worker', { NIGHTSHIFT_ROLE: 'worker' }, ['queue:mail', 'CatchAllMailServer', 'SyrupStirrer']],
    [
      'a worker with a broker and a mail server',
      { NIGHTSHIFT_ROLE: 'worker', AMQP_URL: 'amqp://localhost', SMTP_URL: 'smtp://localhost' },
      ['queue:mail', 'OrderReceiver', 'SyrupStirrer'],
    ],
  ])('says what is for %s', (_, env, expected) => {
    expect(running(env)).toEqual(expected);
  });
});
