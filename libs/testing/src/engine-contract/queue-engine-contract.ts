import type { EngineFeature } from 'nestjs-nightshift';
import { accepting } from './cases/accepting.js';
import { cancelling } from './cases/cancelling.js';
import { closing } from './cases/closing.js';
import { crashing, parking } from './cases/crashing.js';
import { deduplication } from './cases/deduplication.js';
import { dequeuing } from './cases/dequeuing.js';
import { history, lives } from './cases/history.js';
import { hostile } from './cases/hostile.js';
import { order } from './cases/order.js';
import { refusing } from './cases/refusing.js';
import { notes, results } from './cases/results.js';
import { retries, timeouts } from './cases/retries.js';
import { searching } from './cases/searching.js';
import { sharingOut } from './cases/sharing-out.js';
import { capacity, idling, steering } from './cases/steering.js';
import { time } from './cases/time.js';
import { canPlay, toContractCase, type ContractCase, type WrittenCase } from './contract-case.js';
import { resolveContractSetup, type QueueEngineContractSetup } from './contract-setup.js';

/**
 * What every engine has to do, as cases for any test framework: what `QueueEngine` and the guides promise, asked of an
 * engine through the queues of small applications. For those who write engines, or storage drivers for `storedEngine()`.
 *
 * What the engine lacks, by its `capabilities`, it has to refuse: cases that need it give way to one that sees to that. A
 * case plays on a store of its own, closes what it has opened, and expects that no timer is left; it needs `@nestjs/core`.
 *
 * @example
 * for (const { name, run } of queueEngineContract({
 *   capabilities: myEngine({ url: '' }).capabilities,
 *   clock: 'system',
 *   createStore: () => {
 *     const prefix = randomUUID();
 *     return { createEngine: () => myEngine({ url, prefix }), remove: () => deleteAll(prefix) };
 *   },
 * }))
 *   it(name, run);
 *
 * @throws InvalidOptionsError, ArgumentOutOfRangeError, UnknownOptionError when the setup is wrong
 */
export function queueEngineContract(setup: QueueEngineContractSetup): readonly ContractCase[] {
  const resolved = resolveContractSetup(setup);
  const lacked = Object.keys(resolved.capabilities.lacks) as EngineFeature[];
  return [...written, ...refusing(lacked)]
    .filter((each) => canPlay(each, resolved))
    .map((each) => toContractCase(each, resolved));
}

const written: readonly WrittenCase[] = [
  ...accepting,
  ...order,
  ...time,
  ...deduplication,
  ...sharingOut,
  ...retries,
  ...timeouts,
  ...cancelling,
  ...results,
  ...notes,
  ...steering,
  ...idling,
  ...capacity,
  ...dequeuing,
  ...closing,
  ...crashing,
  ...parking,
  ...searching,
  ...history,
  ...lives,
  ...hostile,
];
