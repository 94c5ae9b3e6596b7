import type { INestApplication, INestApplicationContext } from '@nestjs/common';
import { BackgroundAdmin, type ServiceSnapshot } from 'nestjs-nightshift';
import { Mailer } from './mail/mailer.js';
import { ShopConfig } from './shop.config.js';

/** What is running, what to try, and how durable it is. */
export function banner(app: INestApplication, url: string): string {
  const config = app.get(ShopConfig);
  const shop = url.replace('http://', '');
  return `
The sweet shop is open: ${url}

${inTheBackground(app)}

Try, in another terminal:
  curl -s ${shop}/sample-photo -o photo.jpg
  curl -i -F photo=@photo.jpg ${shop}/photos
  curl -s -H 'content-type: application/json' -d '{"name":"Ada","email":"ada@example.com"}' ${shop}/customers
  curl -s -H 'content-type: application/json' -d '{"sweet":"fudge","placedAt":"2020-01-01"}' ${shop}/orders
  curl -s -X POST ${shop}/night-shift/OrderCleanup/trigger
  curl -s -X POST ${shop}/night-shift/LogCleanup/trigger
  curl -s ${shop}/mails
  curl -s ${shop}/recipes
  curl -s ${shop}/night-shift
${config.amqpUrl === undefined ? '' : wholesale(shop)}
Files are in ${config.dataDir}. ${config.role === 'web' ? 'Mail is sent by workers.' : mail(app)}
${durability(config)}

`;
}

/** The same for a process without a server. */
export function workerBanner(app: INestApplicationContext): string {
  return `
The sweet shop's night shift is at work.

${inTheBackground(app)}

${mail(app)}
${durability(app.get(ShopConfig))}

`;
}

function inTheBackground(app: INestApplicationContext): string {
  const { services } = app.get(BackgroundAdmin).snapshot();
  return `In the background:\n${services.map(describe).join('\n')}`;
}

function mail(app: INestApplicationContext): string {
  return `Mail goes to ${withoutPassword(app.get(Mailer).url)}.`;
}

function wholesale(shop: string): string {
  return `  curl -s -H 'content-type: application/json' -d '{"customer":"Kiosk","sweet":"fudge","amount":500}' ${shop}/wholesale
  curl -s ${shop}/wholesale
`;
}

function durability({ nightShiftFile, redisUrl, databaseUrl }: ShopConfig): string {
  const place = nightShiftFile ?? redisUrl ?? databaseUrl;
  return place === undefined
    ? `Tasks are held in memory: Ctrl+C finishes them, a crash or kill -9 loses those not yet done.
To make them durable: NIGHTSHIFT_FILE=shop.db npm start`
    : `Tasks are kept in ${withoutPassword(place)}: after a crash or kill -9, start the shop again and they go on.`;
}

function describe({ name, kind, state, schedule, nextTickAt }: ServiceSnapshot): string {
  const next = nextTickAt === undefined ? '' : `, next ${nextTickAt.toLocaleString('sv')}`;
  return `  ${name.padEnd(20)}${state === 'disabled' ? 'disabled' : `${schedule ?? kind}${next}`}`;
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ':***@');
}
