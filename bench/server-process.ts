import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** What it prints when it takes connections. */
  readonly readyText: string;
  /** As whom it runs, if not as we do. */
  readonly uid?: number;
  readonly gid?: number;
}

/** A server that is started, stopped and started again. It ends with this process at the latest. */
export class ServerProcess {
  private process: ChildProcess | undefined;
  private readonly endWithUs = (): void => void this.process?.kill();

  constructor(private readonly command: ServerCommand) {}

  /** Resolves when it takes connections. @returns `false` when it does not start */
  async start(): Promise<boolean> {
    const { command, args, readyText, uid, gid } = this.command;
    const server = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    });
    this.process = server;
    process.once('exit', this.endWithUs);
    const started = await Promise.race([
      says(server, readyText),
      once(server, 'exit').then(() => false),
    ]).catch(() => false); // there is no such command
    if (!started) this.forget();
    return started;
  }

  /** Resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const server = this.process;
    if (server === undefined) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
    this.forget();
  }

  private forget(): void {
    this.process = undefined;
    process.off('exit', this.endWithUs);
  }
}

/** A port of this machine that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function says({ stdout, stderr }: ChildProcess, text: string): Promise<boolean> {
  let said = '';
  return new Promise((resolve) => {
    for (const stream of [stdout!, stderr!])
      stream.on('data', (chunk: Buffer) => {
        if (said.includes(text)) return; // read on, so that it never waits for us
        said += chunk.toString();
        if (said.includes(text)) resolve(true);
      });
  });
}
