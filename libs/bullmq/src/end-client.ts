/** What a client of ioredis has inside, as far as it outlives the client: its own `disconnect()` leaves that behind. */
interface ClientInside {
  readonly status: string;
  readonly options?: { retryStrategy?: unknown };
  readonly stream?: { destroy(): void };
  readonly socketTimeoutTimer?: NodeJS.Timeout;
  disconnect(): void;
}

/** Ends a client whatever it is doing, now and for good, so that nothing of it keeps the process from ending. */
export function endClient(client: unknown): void {
  const inside = client as ClientInside;
  // Whoever still waits for it, as a worker of BullMQ may, would have it try again as soon as it has ended.
  if (inside.options !== undefined) inside.options.retryStrategy = () => null;
  if (inside.status !== 'end') inside.disconnect();
  // ioredis does not stop it when a connection breaks over which something was still to be answered.
  clearTimeout(inside.socketTimeoutTimer);
  inside.stream?.destroy();
}
