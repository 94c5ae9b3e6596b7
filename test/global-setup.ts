import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { furnishHouses, type Houses } from './houses.js';
import { pack, type Tarball } from './package/consumer.js';

declare module 'vitest' {
  export interface ProvidedContext {
    houses: Houses;
    tarball: Tarball;
  }
}

/** Once for all tests that run the built package. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-')));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const houses = await furnishHouses(directory);
    project.provide('houses', houses);
    project.provide('tarball', await pack(houses.nest12, directory));
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
