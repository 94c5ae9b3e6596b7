import { once } from 'node:events';
import { createServer } from 'node:net';
import type { HostedService } from 'nestjs-nightshift';
import { PeriodicTimer, type Clock } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { HammeredServiceError } from './errors.js';
import { hammerHostedService, type HammerOptions } from './hosted-service-hammer.js';
import { ManualClock } from './manual-clock.js';

const settings: HammerOptions = { seed: 1, rounds: 40, within: 50 };

/** What the hammer says of a service. */
async function verdictOn(create: () => HostedService, options: HammerOptions = {}) {
  const error: unknown = await hammerHostedService(create, { ...settings, ...options }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HammeredServiceError);
  return error as HammeredServiceError;
}

/** A service that ticks on a clock, with a mistake if one is wanted. */
class Ticker implements HostedService {
  readonly work: Promise<void>[] = [];
  private timer: PeriodicTimer | undefined;

  constructor(private readonly clock: Clock) {}

  start(): void {
    this.timer = new PeriodicTimer('1s', { clock: this.clock });
    this.work.push(this.run(this.timer));
  }

  async stop(): Promise<void> {
    this.timer?.dispose();
    await Promise.all(this.work.splice(0));
  }

  private async run(timer: PeriodicTimer): Promise<void> {
    while (await timer.waitForNextTick());
  }
}

/** Listens on a port, as the servers of applications do. */
class Server implements HostedService {
  private readonly server = createServer();

  async start(): Promise<void> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

const blank = (): HostedService => ({ start: () => {}, stop: () => {} });

const heedful = async (signal: AbortSignal): Promise<void> => signal.throwIfAborted();

/** What the hammer calls on a service that has nothing to say against it. */
async function callsOf(seed: number): Promise<readonly string[]> {
  const calls: string[] = [];
  const hook = (name: string) => (signal: AbortSignal) => void calls.push(`${name} ${signal.aborted}`);
  const create = () => ({ start: hook('start'), started: hook('started'), stop: hook('stop') });
  await hammerHostedService(create, { seed, rounds: 10 });
  return calls;
}

/** Which of the orders that not every service has to bear are tried. */
async function demandsOf(options: HammerOptions): Promise<readonly string[]> {
  const notes = new Set<string>();
  const create = () => {
    const life = { starts: 0, stops: 0 };
    return {
      start() {
        if (life.stops > 0) notes.add('restart');
        if (life.stops > 0 && options.restart === 'refused') throw new Error('stopped for good');
        life.starts += 1;
      },
      stop() {
        if (life.starts === 0) notes.add('stop without start');
        life.stops += 1;
      },
    };
  };
  await hammerHostedService(create, { ...settings, ...options });
  return [...notes].toSorted();
}

/** A service whose third start fails. */
const tiring = (): HostedService => {
  const starts = { count: 0 };
  return {
    start() {
      if ((starts.count += 1) === 3) throw new Error('third');
    },
    stop() {},
  };
};

/** A service that minds a second stop. */
const touchy = (): HostedService => {
  const life = { stops: 0 };
  return {
    start: () => void (life.stops = 0),
    stop: () => {
      if ((life.stops += 1) > 1) throw new Error('not running');
    },
  };
};

const careless = (): HostedService => ({
  start: () => void Promise.reject(new Error('lost')),
  stop: () => {},
});

const impatient = async (signal: AbortSignal): Promise<void> => {
  if (signal.aborted) throw new Error('impatient');
};

/** The listeners that fail a run of tests for a rejection that this file causes on purpose. */
function withoutOtherListeners(event: string): Disposable {
  const listeners = process.rawListeners(event) as ((...args: unknown[]) => void)[];
  process.removeAllListeners(event);
  return {
    [Symbol.dispose]() {
      for (const listener of listeners) process.on(event, listener);
    },
  };
}

describe('hammerHostedService', () => {
  it('is content with a service that only counts, and calls every hook of it', async () => {
    const called = new Set<string>();
    const note = (hook: string) => () => void called.add(hook);
    const hooks = ['starting', 'start', 'started', 'stopping', 'stop', 'stopped'] as const;
    const service = Object.fromEntries(hooks.map((hook) => [hook, note(hook)])) as unknown as HostedService;
    await hammerHostedService(() => service, settings);
    expect([...called].toSorted()).toEqual([...hooks].toSorted());
  });

  it('is content with a service that waits on a manual clock, and leaves nothing armed', async () => {
    const clock = new ManualClock();
    await hammerHostedService(() => new Ticker(clock), { ...settings, within: '5s', clock });
    expect(clock.pendingTimers).toBe(0);
  });

  it('is content with a server that listens and closes', async () => {
    const made: Server[] = [];
    const create = () => made[made.push(new Server()) - 1]!;
    await hammerHostedService(create, { ...settings, within: '2s', rounds: 10 });
    expect(made).toHaveLength(10);
  });

  it('is content with hooks that reject with the reason of their aborted signal', async () => {
    const heeds = hammerHostedService(() => ({ start: heedful, stop: heedful }), settings);
    await expect(heeds).resolves.toBeUndefined();
  });

  it('drives the same order when the seed is the same', async () => {
    expect(await callsOf(3)).toEqual(await callsOf(3));
    expect(await callsOf(3)).not.toEqual(await callsOf(4));
  });

  it('starts again after a stop, and stops without a start, unless told not to', async () => {
    expect(await demandsOf({})).toEqual(['restart', 'stop without start']);
    expect(await demandsOf({ stopWithoutStart: 'notTried' })).toEqual(['restart']);
    // It is tried, to see that it is refused.
    expect(await demandsOf({ restart: 'refused' })).toEqual(['restart', 'stop without start']);
  });
});

describe('hammerHostedService throws, with the calls and the seed, when a service', () => {
  it('never ends a stop', async () => {
    const error = await verdictOn(() => ({ start: () => {}, stop: () => new Promise(() => {}) }));
    expect(error).toMatchObject({ code: 'HAMMERED_SERVICE_FAILED', seed: expect.any(Number) });
    expect(error.problem).toBe('stop() did not settle within 50 ms');
    expect(error.history).toContainEqual(expect.stringMatching(/^stop\(\).*: still waiting$/));
    expect(error.message).toContain(`{ seed: ${error.seed}, rounds: 1 }`);
    expect(error.message).toContain(`  1. ${error.history[0]}\n`);
  });

  it('fails again in the same way when the seed of the message is tried', async () => {
    const first = await verdictOn(tiring);
    const second = await verdictOn(tiring, { seed: first.seed, rounds: 1 });
    expect(second.history).toEqual(first.history);
    expect(second.cause).toEqual(new Error('third'));
  });

  it('stops only once', async () => {
    const error = await verdictOn(touchy);
    expect(error.problem).toBe('stop() rejected with Error: not running');
  });

  it('leaves a timer of the manual clock behind', async () => {
    const clock = new ManualClock();
    const create = () => ({ start: () => void clock.schedule(60_000, () => {}), stop: () => {} });
    const error = await verdictOn(create, { clock });
    expect(error.problem).toMatch(/left behind: \d x timer on the manual clock/);
  });

  it('leaves a server open', async () => {
    const opened: ReturnType<typeof createServer>[] = [];
    const listen = async () => {
      const server = createServer();
      opened.push(server);
      await once(server.listen(0, '127.0.0.1'), 'listening');
    };
    const error = await verdictOn(() => ({ start: listen, stop: () => {} }));
    expect(error.problem).toMatch(/left behind: \d x TCPServerWrap/);
    for (const server of opened) server.close();
  });

  it('gives its place up to a start that failed half way', async () => {
    const clock = new ManualClock();
    const create = () => {
      const open = { timer: clock.schedule(0, () => {}) };
      open.timer.cancel();
      return {
        starting: () => void (open.timer = clock.schedule(60_000, () => {})),
        start: () => {},
        stop: () => open.timer.cancel(),
      };
    };
    const error = await verdictOn(create, { clock, stopWithoutStart: 'notTried' });
    expect(error.problem).toContain('left behind');
  });

  it('leaves a rejection to nobody', async () => {
    using _ = withoutOtherListeners('unhandledRejection');
    const error = await verdictOn(careless);
    expect(error.problem).toBe('A rejection was not handled: Error: lost');
    expect(error.cause).toEqual(new Error('lost'));
  });

  it('rejects with an error of its own although only its signal was aborted', async () => {
    const error = await verdictOn(() => ({ ...blank(), stop: impatient }));
    expect(error.problem).toBe('stop() rejected with Error: impatient');
    expect(error.history.at(-1)).toContain('with an aborted signal');
  });

  it("can be started after a stop although restart is 'refused'", async () => {
    const error = await verdictOn(blank, { restart: 'refused' });
    expect(error.problem).toContain("although `restart` is 'refused'");
  });
});

describe('hammerHostedService throws before it has begun when', () => {
  it.each([
    [{ rounds: 0 }, 'ARGUMENT_OUT_OF_RANGE', /rounds must be a whole number of 1 or more/],
    [{ seed: 0.5 }, 'ARGUMENT_OUT_OF_RANGE', /seed must be a whole number/],
    [{ within: 'soon' }, 'ARGUMENT_OUT_OF_RANGE', /within/],
    [{ clock: {} }, 'ARGUMENT_OUT_OF_RANGE', /clock must be a ManualClock/],
    [{ restart: 'no' }, 'ARGUMENT_OUT_OF_RANGE', /restart/],
    [{ stopWithoutStart: 'no' }, 'ARGUMENT_OUT_OF_RANGE', /stopWithoutStart/],
    [{ round: 3 }, 'UNKNOWN_OPTION', /Did you mean 'rounds'/],
    [7, 'ARGUMENT_OUT_OF_RANGE', /options must be an object/],
  ])('its options are %o', async (options, code, message) => {
    const error: unknown = await hammerHostedService(blank, options as HammerOptions).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('what it is given has no start and stop', async () => {
    const creating = hammerHostedService(() => ({}) as HostedService);
    await expect(creating).rejects.toThrow('create() must be a hosted service');
  });
});
