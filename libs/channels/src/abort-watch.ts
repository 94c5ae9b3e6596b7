/** Something that ends when a signal aborts. */
export interface Abortable {
  /** Called once, when the signal aborts, and after that never again. */
  abort(reason: unknown): void;
}

/**
 * The one listener that this library has on a signal, however many wait under it: Node walks the list of listeners
 * for each one added and warns of a leak at eleven, while a signal that says "the app is stopping" is waited under by
 * everybody. It is there only while somebody waits.
 */
export class AbortWatch {
  private readonly watched = new Set<Abortable>();

  private constructor(private readonly signal: AbortSignal) {}

  /** The watch of a signal, which lives as long as the signal does. */
  static over(signal: AbortSignal): AbortWatch {
    let watch = watches.get(signal);
    if (watch === undefined) {
      watch = new AbortWatch(signal);
      watches.set(signal, watch);
    }
    return watch;
  }

  add(abortable: Abortable): void {
    if (this.watched.size === 0) this.signal.addEventListener('abort', this);
    this.watched.add(abortable);
  }

  delete(abortable: Abortable): void {
    if (this.watched.delete(abortable) && this.watched.size === 0) {
      this.signal.removeEventListener('abort', this);
    }
  }

  /** The listener itself: the name is the DOM's. */
  handleEvent(): void {
    // Whoever is settled because another one was aborted is no longer in the set, and so is passed over.
    for (const abortable of this.watched) {
      this.delete(abortable);
      abortable.abort(this.signal.reason);
    }
  }
}

const watches = new WeakMap<AbortSignal, AbortWatch>();
