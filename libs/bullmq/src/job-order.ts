/** Places above those of ids that BullMQ counts up. */
const named = 2 ** 52;

/**
 * By what the tasks of a queue are ordered: the ids that BullMQ gives are numbers that go up. Ids of the producer's own come
 * after them, in an order that stays the same.
 */
export function placeOf(id: string): number {
  if (/^[1-9]\d{0,14}$/.test(id)) return Number(id);
  let hash = 0;
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)!) % 4_503_599_627_370_449;
  return named + hash;
}

/** BullMQ does not take colons in the names of queues. */
export function toBullmqName(queue: string): string {
  return queue.replaceAll('%', '%25').replaceAll(':', '%3A');
}
