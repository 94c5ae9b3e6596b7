import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { median } from '../statistics.js';
import type { CrewAnswer, CrewOrder, CrewReport, StoreAddress } from './crew-messages.js';
import { addTallies } from './tally.js';

/** With one worker in each process up to here; more share them. */
const mostProcesses = 8;

/** So many workers at one store, and one process more that only enqueues. */
export class Crew {
  private constructor(
    private readonly producer: CrewProcess,
    private readonly processes: readonly CrewProcess[],
  ) {}

  static async open(address: StoreAddress, workers: number): Promise<Crew> {
    const producer = new CrewProcess();
    await producer.tell({ order: 'open', address, workers: 0 }); // which makes the tables
    const processes = share(workers, mostProcesses).map((each) => ({ each, process: new CrewProcess() }));
    await Promise.all(
      processes.map(({ each, process }) => process.tell({ order: 'open', address, workers: each })),
    );
    return new Crew(
      producer,
      processes.map(({ process }) => process),
    );
  }

  enqueue(amount: number): Promise<unknown> {
    return this.producer.tell({ order: 'enqueue', amount });
  }

  trickle(perSecond: number, forMs: number): Promise<unknown> {
    return this.producer.tell({ order: 'trickle', perSecond, forMs });
  }

  /** Of all together; the producer's calls too, but not what it has used of the processors. */
  async report(): Promise<CrewReport> {
    const [produced, ...reports] = await Promise.all(
      [this.producer, ...this.processes].map((process) => process.tell({ order: 'report' })),
    );
    return {
      begun: reports.reduce((sum, { begun }) => sum + begun, 0),
      cpuMs: reports.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      lateMs: median(reports.map(({ lateMs }) => lateMs)),
      waitsMs: reports.flatMap(({ waitsMs }) => waitsMs),
      tally: addTallies([produced!, ...reports].map(({ tally }) => tally)),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.producer, ...this.processes].map((process) => process.close()));
  }
}

/** How many each of so many gets, at the most, when all get the same, more or less. */
export function share(amount: number, most: number): readonly number[] {
  const parts = Math.min(amount, most);
  return Array.from({ length: parts }, (_, i) => Math.floor((amount + i) / parts));
}

class CrewProcess {
  private readonly child: ChildProcess = fork(new URL('crew-process.js', import.meta.url));

  async tell(order: CrewOrder): Promise<CrewReport> {
    const over = new AbortController();
    const { signal } = over;
    this.child.send(order);
    const [answer] = (await Promise.race([
      once(this.child, 'message', { signal }),
      once(this.child, 'exit', { signal }).then(() => [{ failed: 'the process has ended' }]),
    ])) as [CrewAnswer];
    over.abort();
    if ('failed' in answer) throw new Error(`A worker of the simulation has failed: ${answer.failed}`);
    return answer.report;
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    await this.tell({ order: 'close' });
    this.child.disconnect();
    await ended;
  }
}
