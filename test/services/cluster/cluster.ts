import { deepStrictEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLong } from '../../long-runs.js';
import { bundled } from '../../processes/bundle.js';
import { Child, oneNest } from '../../processes/child.js';
import { Journal } from '../../processes/journal.js';
import type { JournalReport } from '../../processes/journal-reader.js';
import type { ClusterStore, StoreReport } from './cluster-store.js';
import { toCounts } from './counts.js';
import { seed } from './seed.js';

/** How many tasks run at once in one process: what it may have in hand when it is killed. */
export const concurrency = 8;
/** How long a scenario may take. Nothing does, but on a machine that has much else to do. */
export const longestMs = 120_000;

/** Less, so that a process that is stuck is told with what it has printed. */
const nest = { ...oneNest, longestRunMs: isLong ? 3_600_000 : longestMs - 20_000 };
const apps = join(oneNest.house, 'dist/test/services/cluster/apps');
const scenarios = new Map<string, Promise<string>>();

function scenario(name: string): Promise<string> {
  const known = scenarios.get(name) ?? bundled(oneNest, name, apps);
  scenarios.set(name, known);
  return known;
}

export interface ClusterOptions {
  readonly lease?: string;
  /** Where the processes find the server, if that is not where it is. */
  readonly url?: string;
  /** What the processes run: one of `apps/`. */
  readonly app?: 'shift' | 'rota';
}

/** Processes that share a store, and the journal that they write. Ends all of them when it is disposed. */
export class Cluster implements AsyncDisposable {
  private readonly directory = mkdtempSync(join(tmpdir(), 'nightshift-cluster-'));
  readonly journal = new Journal(join(this.directory, 'journal'));
  private readonly children: Child[] = [];
  private wholes = 0;

  constructor(
    readonly store: ClusterStore,
    private readonly options: ClusterOptions = {},
  ) {}

  /** Starts a process that works. */
  work(): Promise<Child> {
    return this.start({ concurrency });
  }

  /** Starts one that works, whose clock is ahead of that of the machine by so much. */
  workAhead(aheadMs: number): Promise<Child> {
    return this.start({ concurrency, aheadMs }, ['--import', join(apps, 'shifted-clock.js')]);
  }

  /** Starts one that only enqueues. */
  produce(): Promise<Child> {
    return this.start({ concurrency: 0 });
  }

  /** @param said what the process is told, beside the usual */
  async start(said: object, nodeOptions: readonly string[] = []): Promise<Child> {
    const { lease = '2s', url, app = 'shift' } = this.options;
    const usual = { engine: this.store.engine(lease, url), journal: this.journal.path };
    const script = await scenario(app);
    const number = this.children.length;
    const child = new Child(
      { ...nest, nodeOptions },
      script,
      JSON.stringify({ ...usual, seed: seed + number, ...said }),
    );
    this.children.push(child);
    await child.line('working');
    return child;
  }

  /** Waits until those who had no server have begun a task that they fetched after this was asked: what they begin is theirs. */
  async untilWhole(children: readonly Child[]): Promise<void> {
    const word = `whole ${(this.wholes += 1)}`;
    await Promise.all(
      children.map((child) => {
        child.tell(`say ${word}`);
        return child.line(word);
      }),
    );
    for (const { pid } of children) this.journal.whole(pid);
  }

  /** Without any warning: others may begin again what it has in hand. */
  async kill(child: Child): Promise<void> {
    this.journal.killed(child.pid);
    child.kill('SIGKILL');
    deepStrictEqual(await child.end, { code: null, signal: 'SIGKILL' });
  }

  /** As a deploy does. */
  async stop(child: Child): Promise<void> {
    this.journal.stopping(child.pid);
    child.kill('SIGTERM');
    deepStrictEqual(await child.end, { code: 0, signal: null });
  }

  /** Tells a producer that it is enough, and waits until all that it has enqueued has come to its end. */
  async finish(producer: Child): Promise<string> {
    producer.tell('enough');
    try {
      return (await producer.line('all done')).slice('all done '.length);
    } catch (error) {
      const { open } = await this.store.report();
      const { acknowledged, done } = this.journal.read();
      const untold = [...acknowledged].filter((id) => !done.has(id));
      const others = this.children.map(({ pid, output }) => `${pid}:\n${output.slice(-2_000)}`);
      throw new Error(
        `seed ${seed}: the producer does not come to an end. Without a result: ${untold.join(', ')}. Not completed: ${open.join(', ')}. ` +
          `The processes said:\n${others.join('\n')}`,
        { cause: error },
      );
    }
  }

  /**
   * What the journal and the server say, when all is done: every acknowledged task is there and has completed, none has
   * completed twice, and nothing ran that had no reason to. Says the counts in one line.
   */
  async settle(title: string, others: Readonly<Record<string, number | string>> = {}): Promise<Settled> {
    const journal = this.journal.read();
    const store = await this.store.report();
    const lost = [...journal.acknowledged].filter((id) => !store.completions.has(id));
    const twice = [...store.completions].flatMap(([id, times]) => (times > 1 ? id : []));
    console.log(toCounts(title, journal, store, { lost: lost.length, twice: twice.length, ...others }));
    const { faults } = journal;
    const { states } = store;
    deepStrictEqual(
      { seed, lost, twice, faults, states },
      { seed, lost: [], twice: [], faults: [], states: { completed: store.ids.size } },
    );
    return { journal, store };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.children.map((child) => child[Symbol.asyncDispose]()));
    this.journal[Symbol.dispose]();
    rmSync(this.directory, { recursive: true });
    await this.store[Symbol.asyncDispose]();
  }
}

export interface Settled {
  readonly journal: JournalReport;
  readonly store: StoreReport;
}
