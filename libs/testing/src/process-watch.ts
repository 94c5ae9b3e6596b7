import { describeValue } from 'nestjs-nightshift/channels';

/** What goes wrong behind everybody's back: rejections that nobody handles, and listeners that pile up. */
export class ProcessWatch implements Disposable {
  private readonly seen: { readonly problem: string; readonly cause: unknown }[] = [];

  constructor() {
    process.on('unhandledRejection', this.onRejection);
    process.on('warning', this.onWarning);
  }

  get first(): { readonly problem: string; readonly cause: unknown } | undefined {
    return this.seen[0];
  }

  [Symbol.dispose](): void {
    process.off('unhandledRejection', this.onRejection);
    process.off('warning', this.onWarning);
  }

  private readonly onRejection = (cause: unknown): void => {
    this.seen.push({ problem: `A rejection was not handled: ${describeValue(cause)}`, cause });
  };

  private readonly onWarning = (cause: Error): void => {
    if (cause.name !== 'MaxListenersExceededWarning') return;
    this.seen.push({ problem: `Listeners pile up: ${cause.message}`, cause });
  };
}
