import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lineBeginning, openWorkbench, Place, startWorkbench, statesIn, store } from './workbench.js';

const byItself = { code: 0, signal: null };

/** Whether the tool works here, for this user: told in one line if not. */
function can(what: string, attempt: (place: Place) => void): boolean {
  using place = new Place();
  try {
    attempt(place);
    return true;
  } catch {
    console.log(`Skipped, for this user or system cannot ${what}.`);
    return false;
  }
}

const run = (command: string, ...words: readonly string[]): void =>
  void execFileSync(command, words, { stdio: 'ignore' });

/** A small disk. */
class Disk implements Disposable {
  constructor(readonly directory: string) {
    mkdirSync(directory, { recursive: true });
    run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory);
  }

  /** Leaves no room. */
  fill(): void {
    try {
      for (let i = 0; ; i += 1)
        for (const size of [65_536, 4_096])
          writeFileSync(join(this.directory, `filler-${i}-${size}`), Buffer.alloc(size));
    } catch {
      // full
    }
  }

  free(): void {
    run('sh', '-c', `rm ${this.directory}/filler-*`);
  }

  [Symbol.dispose](): void {
    run('umount', '-l', this.directory);
  }
}

/** Nobody can change the file, or what is in the directory: not even root, who heeds no permissions. */
class Frozen implements Disposable {
  constructor(readonly path: string) {
    run('chattr', '+i', path);
  }

  [Symbol.dispose](): void {
    run('chattr', '-i', this.path);
  }
}

const canMount = can('mount a small disk', ({ directory }) =>
  new Disk(join(directory, 'disk'))[Symbol.dispose](),
);
const canFreeze = can('freeze files', ({ directory }) => new Frozen(directory)[Symbol.dispose]());
const canLimit = can('limit the size of files', () => run('prlimit', '--version'));

describe.concurrent('a durable queue on a faulty disk', { timeout: 60_000 }, () => {
  it.skipIf(!canMount).each([
    { how: 'in its own thread', thread: false },
    { how: 'with `thread`', thread: true },
  ])(
    'refuses tasks while the disk is full, saying what to do, keeps the outcomes, and goes on when there is room, $how',
    async ({ thread }) => {
      using place = new Place();
      using disk = new Disk(join(place.directory, 'disk'));
      const file = join(disk.directory, 'tasks.db');
      await using child = await startWorkbench({ file, thread, lease: '1s' });
      await store(child, 'gated', 'early');
      await lineBeginning(child, 'begins early');
      disk.fill();
      child.tell('quick refused 200000');
      const refusal = await lineBeginning(child, 'refused refused');
      expect(refusal).toMatch(/SQLITE_DISK_FULL: .* free some space/);
      child.tell('open');
      await lineBeginning(child, 'done early');
      disk.free();
      await store(child, 'quick', 'late');
      await lineBeginning(child, 'done late');
      child.kill('SIGTERM');
      expect(await child.end).toEqual(byItself);
      expect(await statesIn(file)).toEqual({ completed: 2 });
    },
  );

  it.skipIf(!canLimit)(
    'refuses tasks while writing fails, saying so, keeps the outcomes, and goes on when it works again',
    async () => {
      using place = new Place();
      await using child = await startWorkbench({ file: place.file, lease: '1s' });
      await store(child, 'gated', 'early');
      await lineBeginning(child, 'begins early');
      run('prlimit', '--pid', String(child.pid), '--fsize=4096:unlimited');
      child.tell('quick refused');
      expect(await lineBeginning(child, 'refused refused')).toMatch(/SQLITE_IO_FAILED: /);
      child.tell('open');
      await lineBeginning(child, 'done early');
      await child.line('trouble: store the outcome');
      run('prlimit', '--pid', String(child.pid), '--fsize=unlimited:unlimited');
      await store(child, 'quick', 'late');
      await lineBeginning(child, 'done late');
      child.kill('SIGTERM');
      expect(await child.end).toEqual(byItself);
      expect(await statesIn(place.file)).toEqual({ completed: 2 });
    },
  );

  it.skipIf(!canFreeze)(
    'does not start on a file that cannot be written, and says what it needs',
    async () => {
      using place = new Place();
      await using first = await startWorkbench({ file: place.file });
      await store(first, 'heedful', 'early');
      first.kill('SIGKILL');
      await first.end;
      rmSync(`${place.file}-shm`);
      using frozen = new Frozen(place.file);
      await using child = await openWorkbench({ file: frozen.path });
      expect(await child.end).toEqual({ code: 1, signal: null });
      expect(child.output).toContain('SQLITE_FILE_READ_ONLY');
      expect(child.output).toContain('needs write permission for the file');
    },
  );

  it.skipIf(!canFreeze)(
    'does not start in a directory that cannot be written, and says what it needs',
    async () => {
      using place = new Place();
      using frozen = new Frozen(place.directory);
      await using child = await openWorkbench({ file: join(frozen.path, 'tasks.db') });
      expect(await child.end).toEqual({ code: 1, signal: null });
      expect(child.output).toMatch(/SQLITE_FILE_(READ_ONLY|NOT_OPENED)/);
    },
  );

  it.each([
    { what: 'a file that is no database', code: 'SQLITE_FILE_CORRUPT', name: 'diary.txt' },
    { what: 'a directory that is not there', code: 'SQLITE_FILE_NOT_OPENED', name: 'nowhere/tasks.db' },
  ])('does not start on $what, and ends with the code $code', async ({ code, name }) => {
    using place = new Place();
    writeFileSync(
      join(place.directory, 'diary.txt'),
      'Dear diary, today I was opened as a database. '.repeat(99),
    );
    await using child = await openWorkbench({ file: join(place.directory, name) });
    expect(await child.end).toEqual({ code: 1, signal: null });
    expect(child.output).toContain(code);
  });
});
