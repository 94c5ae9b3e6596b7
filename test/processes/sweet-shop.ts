import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Child, oneNest } from './child.js';

/** A sweet shop of one test: its data, and a name that nobody else has at the servers. Its files are gone after the test. */
export class SweetShop {
  readonly name = `nightshift_test_${randomUUID().slice(0, 8)}`;
  private readonly directory = mkdtempSync(join(tmpdir(), 'sweet-shop-'));

  constructor(private readonly env: Readonly<Record<string, string>>) {
    onTestFinished(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  /** Starts a process of it, as `npm start` does. */
  start(env: Readonly<Record<string, string>> = {}): Child {
    const common = { PORT: '0', SHOP_DATA: this.directory, SHOP_NAME: this.name };
    const file = '../../../apps/sweet-shop/src/main.js';
    return new Child(oneNest, { file, env: { ...common, ...this.env, ...env } });
  }
}
