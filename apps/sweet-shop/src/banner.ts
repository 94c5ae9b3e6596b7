import type { INestApplication } from '@nestjs/common';
import { BackgroundAdmin, type ServiceSnapshot } from 'nestjs-nightshift';
import { Mailer } from './mail/mailer.js';
import { ShopConfig } from './shop.config.js';

/** What is running, what to try, and how durable it is. */
export function banner(app: INestApplication, url: string): string {
  const { dataDir, amqpUrl } = app.get(ShopConfig);
  const { services } = app.get(BackgroundAdmin).snapshot();
  const shop = url.replace('http://', '');
  return `
The sweet shop is open: ${url}

In the background:
${services.map(describe).join('\n')}

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
${amqpUrl === undefined ? '' : wholesale(shop)}
Files are in ${dataDir}. Mail goes to ${withoutPassword(app.get(Mailer).url)}.
${durability(app.get(ShopConfig))}

`;
}

function wholesale(shop: string): string {
  return `  curl -s -H 'content-type: application/json' -d '{"customer":"Kiosk","sweet":"fudge","amount":500}' ${shop}/wholesale
  curl -s ${shop}/wholesale
`;
}

function durability({ nightShiftFile }: ShopConfig): string {
  return nightShiftFile === undefined
    ? `Tasks are held in memory: Ctrl+C finishes them, a crash or kill -9 loses those not yet done.
To make them durable: NIGHTSHIFT_FILE=shop.db npm start`
    : `Tasks are kept in ${nightShiftFile}: after a crash or kill -9, start the shop again and they go on.`;
}

function describe({ name, kind, state, schedule, nextTickAt }: ServiceSnapshot): string {
  const next = nextTickAt === undefined ? '' : `, next ${nextTickAt.toLocaleString('sv')}`;
  return `  ${name.padEnd(20)}${state === 'disabled' ? 'disabled' : `${schedule ?? kind}${next}`}`;
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ':***@');
}
