/**
 * Something that several may ask for and that happens once. It counts as under way before its work is called: code of
 * the user's that this runs at once, a hook or a listener, may ask for the same, and is to find it.
 */
export class SharedRun<T> {
  /** The run that all share, also when it has ended. */
  current: Promise<T> | undefined;

  /** Waits for the run, beginning it if it has not begun. */
  join(work: () => Promise<T>): Promise<T> {
    if (this.current !== undefined) return this.current;
    let begin!: (run: Promise<T>) => void;
    this.current = new Promise<T>((resolve) => (begin = resolve));
    const shared = this.current;
    begin(work());
    return shared;
  }
}
