import type { Clock } from 'nestjs-nightshift/channels';
import { Observable } from 'rxjs';
import type { BackgroundEvent, BackgroundEventType, EventDetails, EventOf } from './events.js';

type Listener = (event: BackgroundEvent) => void;

/**
 * Everything that happens in the host, its services and its queues, as typed events.
 *
 * Listeners are called synchronously, in the order in which they were added; one that throws does not disturb the
 * others or the work, and is itself reported as `listener.failed`. An event that nobody listens to is not even made.
 */
export class BackgroundEvents {
  private readonly toAll = new Set<Listener>();
  private readonly toType = new Map<BackgroundEventType, Set<Listener>>();

  /**
   * All events, hot: a subscriber sees what happens from then on. It never errors and never completes. What a subscriber
   * throws is not caught here: RxJS reports it as an uncaught exception, as with any observable.
   */
  readonly stream = new Observable<BackgroundEvent>((subscriber) =>
    add(this.toAll, (event) => subscriber.next(event)),
  );

  constructor(private readonly clock: Clock) {}

  /** Calls `listener` for each event of one type. Returns the function that ends it. */
  on<T extends BackgroundEventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    const listeners = this.toType.get(type) ?? new Set();
    this.toType.set(type, listeners);
    // Only events of its own type are delivered to it, which the map of listeners cannot express.
    const end = add(listeners, listener as unknown as Listener);
    return () => {
      end();
      if (listeners.size === 0 && this.toType.get(type) === listeners) this.toType.delete(type);
    };
  }

  /** Whether an event of this type would reach anyone. */
  wants(type: BackgroundEventType): boolean {
    return this.toAll.size > 0 || this.toType.has(type);
  }

  /** @internal */
  emit<T extends BackgroundEventType>(type: T, details: EventDetails[T]): void {
    if (!this.wants(type)) return;
    // The compiler does not see that a type and its own details make one member of the union.
    const event = { type, at: new Date(this.clock.now()), ...details } as unknown as BackgroundEvent;
    this.deliver(this.toType.get(type), event);
    this.deliver(this.toAll, event);
  }

  private deliver(listeners: Set<Listener> | undefined, event: BackgroundEvent): void {
    if (listeners === undefined) return;
    const present = [...listeners]; // a listener may add others while it is called
    for (const listener of present) {
      try {
        const result: unknown = listener(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.reportFailure(event, error));
      } catch (error) {
        this.reportFailure(event, error);
      }
    }
  }

  private reportFailure({ type }: BackgroundEvent, error: unknown): void {
    // A failure while reporting a failure would go round for ever.
    if (type !== 'listener.failed') this.emit('listener.failed', { during: type, error });
  }
}

/** Returns the function that ends it. */
function add(listeners: Set<Listener>, listener: Listener): () => void {
  const entry: Listener = (event) => listener(event); // the same function may be added twice
  listeners.add(entry);
  return () => listeners.delete(entry);
}
