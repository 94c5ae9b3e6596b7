import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent } from '../events/events.js';
import { resolveServiceOptions } from '../scheduling/background-service.options.js';
import { TickRunner } from '../scheduling/tick-runner.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import { setupHost } from './host.fixture.js';
import { LongRunningService } from './long-running-service.js';
import type { ServiceState } from './service-state.js';

export interface SessionOptions {
  readonly kind: 'longRunning' | 'ticked';
  /** Whether its work ends when it is told to. */
  readonly heeds: boolean;
  /** Of a long-running service. */
  readonly maxRestarts: number;
  /** Of a service that ticks: it is stopped by a failed tick. */
  readonly stopsOnError: boolean;
}

export const commands = [
  'start',
  'stop',
  'finish',
  'fail',
  'trigger',
  'pause',
  'resume',
  'reschedule',
  'elapse a second',
  'elapse a minute',
  'close the host',
] as const;
export type Command = (typeof commands)[number];

/** How an operation ended: `undefined` while it has not. */
type Outcome = { code: string | undefined };

/** One service of a started host, and commands to it. Its work goes on until it is told to finish or fail. */
export class ServiceSession {
  readonly bundle = setupHost({ exceptionBehavior: 'ignore', shutdownTimeout: '10s' });
  readonly service;
  readonly seen: BackgroundEvent[] = [];
  readonly triggered: Promise<unknown>[] = [];
  private work: { end(): void; fail(): void } | undefined;
  private failures = 0;

  constructor(options: SessionOptions) {
    const { clock, host } = this.bundle;
    const work = (signal: AbortSignal): Promise<void> => this.begin(signal, options.heeds);
    const runner = options.kind === 'ticked' ? this.ticked(options, work) : this.longRunning(options, work);
    this.service = host.add({ name: 'a', runner, exceptionBehavior: 'ignore', enabled: true });
    clock.setTime('2026-01-01T00:00:00Z');
    this.bundle.events.stream.subscribe((event) => {
      if (event.type.startsWith('service.')) this.seen.push(event);
    });
  }

  get isWorking(): boolean {
    return this.work !== undefined;
  }

  /** Does what the command says. Returns the code of the error with which it was refused, if it was. */
  async do(command: Command): Promise<string | undefined> {
    const { service, bundle } = this;
    const outcome: Outcome = { code: undefined };
    const note = (error: unknown): void => void (outcome.code = (error as { code: string }).code);
    switch (command) {
      case 'start':
      case 'stop':
        service[command]().catch(note);
        break;
      case 'trigger':
        this.triggered.push(service.trigger().catch(note));
        break;
      case 'pause':
      case 'resume':
      case 'reschedule':
        await (async () => service[command]({ every: '2h' }))().catch(note);
        break;
      case 'finish':
        this.work?.end();
        break;
      case 'fail':
        this.work?.fail();
        break;
      case 'close the host':
        bundle.lifetime.stopApplication();
        break;
      default:
        await bundle.clock.advance(command === 'elapse a second' ? '1s' : '1m');
    }
    await this.settle();
    return outcome.code;
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 4; round += 1) await this.bundle.clock.advance(0);
  }

  private begin(signal: AbortSignal, heeds: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.work = undefined;
        resolve();
      };
      const fail = (): void => {
        this.work = undefined;
        reject(new Error(`failure ${(this.failures += 1)}`));
      };
      this.work = { end, fail };
      if (!heeds) return;
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }

  private longRunning(
    { maxRestarts }: SessionOptions,
    execute: (signal: AbortSignal) => Promise<void>,
  ): LongRunningService {
    const { clock } = this.bundle;
    const restart = { maxRestarts, withinMs: 1e12, backoff: { delayMs: () => 1_000 } };
    return new LongRunningService({ execute }, { name: 'a', clock, restart });
  }

  private ticked({ stopsOnError }: SessionOptions, work: (signal: AbortSignal) => Promise<void>): TickRunner {
    const { clock } = this.bundle;
    const events = new BackgroundEvents(clock);
    const onError = stopsOnError ? 'stopService' : 'continue';
    const { ticks } = resolveServiceOptions({ every: '100h', onError }, 'test', 'a');
    const options = { ...ticks, trigger: ticks.trigger! };
    return new TickRunner({ name: 'a', clock, events, scopes: new NoScopes(), options, work });
  }
}

/** What is expected of a command: the state after it, the events, and the code when it is refused. */
export interface Expected {
  readonly state: ServiceState;
  readonly events?: readonly string[];
  readonly refused?: string;
}

/** What a service is to do, written down a second time, as a table. */
export class ServiceModel {
  state: ServiceState = 'running';
  private isWorking: boolean;
  private isOpen = true;
  private restarts = 0;

  constructor(private readonly options: SessionOptions) {
    this.isWorking = options.kind === 'longRunning';
  }

  next(command: Command): Expected {
    const expected = this.decide(command);
    this.state = expected.state;
    return expected;
  }

  private get isTicked(): boolean {
    return this.options.kind === 'ticked';
  }

  private decide(command: Command): Expected {
    switch (command) {
      case 'start':
        return this.start();
      case 'stop':
        return this.stop();
      case 'finish':
        return this.finish();
      case 'fail':
        return this.fail();
      case 'trigger':
        return this.isTicked ? this.trigger() : this.refuse('NOT_TICKED');
      case 'pause':
        return this.steer('running', 'paused', 'service.paused');
      case 'resume':
        return this.steer('paused', 'running', 'service.resumed');
      case 'reschedule':
        return this.isTicked ? this.stay('service.rescheduled') : this.refuse('NOT_TICKED');
      case 'close the host':
        this.isOpen = false;
        return this.stay();
      default:
        return this.elapse(command === 'elapse a minute');
    }
  }

  private stay(...events: string[]): Expected {
    return { state: this.state, events };
  }

  private refuse(code: string): Expected {
    return { state: this.state, refused: code };
  }

  private is(...states: readonly ServiceState[]): boolean {
    return states.includes(this.state);
  }

  private start(): Expected {
    if (this.is('running', 'paused', 'restarting')) return this.stay();
    if (!this.isOpen || this.is('abandoned')) return this.refuse('ILLEGAL_STATE');
    this.restarts = 0;
    this.isWorking = !this.isTicked;
    return { state: 'running', events: ['service.started'] };
  }

  private stop(): Expected {
    if (!this.is('running', 'paused', 'restarting')) return this.stay();
    if (this.isWorking && !this.options.heeds) return { state: 'stopping', events: ['service.stopping'] };
    this.isWorking = false;
    return { state: 'stopped', events: ['service.stopping', 'service.stopped'] };
  }

  private finish(): Expected {
    if (!this.isWorking) return this.stay();
    this.isWorking = false;
    if (this.is('stopping')) return { state: 'stopped', events: ['service.stopped'] };
    if (this.is('abandoned')) return { state: 'stopped' };
    return this.isTicked ? this.stay() : { state: 'completed', events: ['service.completed'] };
  }

  private fail(): Expected {
    if (this.isTicked && !this.options.stopsOnError) return this.finish();
    if (!this.isWorking) return this.stay();
    this.isWorking = false;
    if (this.is('stopping')) return { state: 'faulted', events: ['service.faulted', 'service.stopped'] };
    if (this.is('abandoned')) return { state: 'stopped', events: ['service.faulted'] };
    if (this.isTicked || !this.isOpen) return { state: 'faulted', events: ['service.faulted'] };
    if (this.restarts < this.options.maxRestarts) {
      this.restarts += 1;
      return { state: 'restarting', events: ['service.restarting'] };
    }
    const gaveUp = this.restarts > 0 ? ['service.gaveUp'] : [];
    return { state: 'faulted', events: [...gaveUp, 'service.faulted'] };
  }

  private trigger(): Expected {
    if (!this.isOpen || !this.is('running', 'paused')) return this.refuse('ILLEGAL_STATE');
    this.isWorking = true; // or was so: then the tick is skipped
    return this.stay();
  }

  private steer(from: ServiceState, to: ServiceState, event: string): Expected {
    if (!this.isTicked) return this.refuse('NOT_TICKED');
    if (this.is(to)) return this.stay();
    return this.is(from) ? { state: to, events: [event] } : this.refuse('ILLEGAL_STATE');
  }

  private elapse(pastTheDeadline: boolean): Expected {
    if (this.is('restarting') && this.isOpen) {
      this.isWorking = true;
      return { state: 'running' };
    }
    if (this.is('stopping') && pastTheDeadline) return { state: 'abandoned', events: ['service.abandoned'] };
    return this.stay();
  }
}
