import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands between an application and its server, and can break the connections. Is gone after the test. */
export class Gateway {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;

  private constructor(
    private readonly target: URL,
    private port: number,
  ) {}

  static async open(url: string): Promise<Gateway> {
    const gateway = new Gateway(new URL(url), 0);
    await gateway.reopen();
    onTestFinished(() => gateway.close());
    return gateway;
  }

  /** As the server's, with the gateway instead of it. */
  get url(): string {
    return Object.assign(new URL(this.target), { host: `127.0.0.1:${this.port}` }).href;
  }

  async reopen(): Promise<void> {
    const server = createServer((socket) => this.pass(socket));
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.server = server;
    this.port = (server.address() as { port: number }).port;
  }

  /** Breaks what there is, and takes no more. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  private pass(socket: Socket): void {
    const beyond = connect(Number(this.target.port || 5432), this.target.hostname);
    for (const each of [socket, beyond]) {
      this.sockets.add(each);
      each.on('error', () => {}); // its end is what is wanted
      each.once('close', () => {
        this.sockets.delete(each);
        socket.destroy();
        beyond.destroy();
      });
    }
    socket.pipe(beyond);
    beyond.pipe(socket);
  }
}
