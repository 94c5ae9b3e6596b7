import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

const usualPorts: Readonly<Record<string, number>> = {
  'redis:': 6_379,
  'postgres:': 5_432,
  'amqp:': 5_672,
};

/** One connection that passes through, in both directions. */
interface Passage {
  readonly inner: Socket;
  readonly outer: Socket;
  losesNextReply: boolean;
  /** Nothing passes any more, and nobody is told. */
  isDead: boolean;
}

/** Stands between an application and its server, and can break the connections. Is gone when it is disposed. */
export class Gateway implements AsyncDisposable {
  private readonly passages = new Set<Passage>();
  private server: Server | undefined;
  private port = 0;
  private isSilent = false;

  private constructor(private readonly target: URL) {}

  static async open(url: string): Promise<Gateway> {
    const gateway = new Gateway(new URL(url));
    await gateway.reopen();
    return gateway;
  }

  /** As the server's, with the gateway instead of it. */
  get url(): string {
    return Object.assign(new URL(this.target), { host: `127.0.0.1:${this.port}` }).href;
  }

  async reopen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.pass(socket));
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.server = server;
    this.port = (server.address() as { port: number }).port;
  }

  /** Breaks what there is, and takes no more. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.breakSome(() => true);
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Breaks the connections that are chosen; new ones pass. @returns how many it broke */
  breakSome(chooses: () => boolean): number {
    const chosen = [...this.passages].filter(chooses);
    for (const { outer } of chosen) outer.destroy();
    return chosen.length;
  }

  /**
   * Of the connections that are chosen, the next thing that the server says is not passed on, and the connection breaks: what it
   * was told has been done, and nobody hears of it.
   */
  loseNextReply(chooses: () => boolean): number {
    const chosen = [...this.passages].filter(chooses);
    for (const passage of chosen) passage.losesNextReply = true;
    return chosen.length;
  }

  /** From now on nothing passes, though all connections stay open, and new ones are taken: as when a cable is pulled. */
  silence(): void {
    this.isSilent = true;
    for (const passage of this.passages) passage.isDead = true;
  }

  /** What connects from now on passes again. What was silenced stays dead. */
  speak(): void {
    this.isSilent = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private pass(outer: Socket): void {
    const { port, protocol, hostname: host } = this.target;
    const inner = connect({ port: Number(port || usualPorts[protocol]), host, allowHalfOpen: true });
    const passage: Passage = { inner, outer, losesNextReply: false, isDead: this.isSilent };
    this.passages.add(passage);
    for (const each of [outer, inner]) {
      each.on('error', () => {}); // its end is what is wanted
      each.once('close', () => {
        this.passages.delete(passage);
        outer.destroy();
        inner.destroy();
      });
    }
    outer.on('data', (request) => void (passage.isDead || inner.write(request)));
    outer.on('end', () => void (passage.isDead || inner.end()));
    inner.on('data', (reply) => {
      if (passage.losesNextReply) outer.destroy();
      else if (!passage.isDead) outer.write(reply);
    });
    inner.on('end', () => void (passage.isDead || outer.end()));
  }
}

/** One that is gone after the test. */
export async function openGateway(url: string): Promise<Gateway> {
  const gateway = await Gateway.open(url);
  onTestFinished(() => gateway.close());
  return gateway;
}
