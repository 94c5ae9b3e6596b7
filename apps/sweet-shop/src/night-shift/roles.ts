import { CatchAllMailServer } from '../mail/catch-all-mail-server.js';
import { RecipeCache } from '../recipes/recipe-cache.js';
import type { ShopConfig } from '../shop.config.js';
import { OrderReceiver } from '../wholesale/order-receiver.js';

/**
 * Which services run in this process. A web process answers requests and hands work over; what it keeps in memory for
 * its requests it also keeps fresh. A worker does all the rest.
 */
export function runsHere(service: string, config: ShopConfig): boolean {
  const isForRequests = service === RecipeCache.name;
  switch (config.role) {
    case 'web':
      return isForRequests;
    case 'worker':
      return !isForRequests && isOfUse(service, config);
    default:
      return isOfUse(service, config);
  }
}

/** There is nothing to receive without a broker, and with a real mail server there is no use for our own. */
function isOfUse(service: string, { amqpUrl, smtpUrl }: ShopConfig): boolean {
  if (service === OrderReceiver.name) return amqpUrl !== undefined;
  return service !== CatchAllMailServer.name || smtpUrl === undefined;
}
