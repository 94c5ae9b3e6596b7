import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { furnishHouses, type Houses } from './houses.js';

declare module 'vitest' {
  export interface ProvidedContext {
    houses: Houses;
  }
}

/** Once for all tests that run the built package. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-')));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    project.provide('houses', await furnishHouses(directory));
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
