import { setup as setupQueue } from './queue.fixture.js';
import type { TaskQueueOptions } from './queue.options.js';

/** A queue that begins to work when it is opened, and work for it that the test brings to its end by name. */
export function setup(options: TaskQueueOptions = {}) {
  const { clock, seen, queue, runner, registry } = setupQueue(options, { begun: false });
  const ran: string[] = [];
  const gates = new Map<string, () => void>();
  /** Work that notes its name when it begins and ends when `finish(name)` is called. */
  const held = (name: string) => () => {
    ran.push(name);
    return new Promise<string>((resolve) => gates.set(name, () => resolve(name)));
  };
  const finish = async (name: string) => {
    await clock.advance(0);
    gates.get(name)!();
    await clock.advance(0);
  };
  return { clock, seen, queue, runner, registry, ran, held, finish, open: () => runner.begin!() };
}
