import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => new URL(path, import.meta.url).pathname;

/** Those that run the built package in processes of their own. */
const processSpecs = ['test/processes/**/*.spec.ts', 'test/package/**/*.spec.ts', 'test/leaks/**/*.spec.ts'];

/** Those that do both: several processes on a server. */
const clusterSpecs = ['test/services/cluster/**/*.spec.ts'];

/** Those that need a server: they say so, and how to provide it, where it is missing. */
const serviceSpecs = ['test/services/**/*.spec.ts'];

export default defineConfig({
  // Nest's DI reads decorator metadata, which esbuild and oxc do not emit; swc does.
  plugins: [swc.vite({ module: { type: 'es6' } })],
  resolve: {
    alias: [
      { find: /^nestjs-nightshift$/, replacement: source('./libs/background/src/index.ts') },
      { find: /^nestjs-nightshift\/(\w+)$/, replacement: source('./libs/$1/src/index.ts') },
    ],
  },
  test: {
    setupFiles: ['./test/setup.ts'],
    maxConcurrency: 3,
    maxWorkers: 3, // most of what takes long waits: for processes, servers and time
    projects: [
      {
        extends: true,
        test: {
          name: 'in-process',
          include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'],
          exclude: [...processSpecs, ...serviceSpecs],
          // Nothing here takes long, but on a machine that is busy with other things.
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: [...processSpecs, ...clusterSpecs],
          globalSetup: ['./test/global-setup.ts'],
          testTimeout: 90_000, // beyond what a process is waited for, which tells more
          hookTimeout: 90_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: serviceSpecs,
          exclude: clusterSpecs,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // On a server and the real clock: a machine that stands still for a moment is nobody's fault.
          retry: 1,
          maxConcurrency: 6, // they mostly wait
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['libs/*/src/**/*.ts'],
      exclude: ['**/*.spec.ts', '**/*.fixture.ts', '**/index.ts'],
      reporter: ['text', 'json-summary'],
    },
  },
});
