import process from 'node:process';

/** The folder under test: its sources are mutated, the specs in it must notice. The runners inherit it. */
const folder = (process.env.MUTATE ??= 'libs/channels/src');

export default {
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  plugins: ['@stryker-mutator/vitest-runner'],
  mutate: [`${folder}/**/*.ts`, `!${folder}/**/*.{spec,fixture}.ts`, `!${folder}/**/index.ts`],
  ignorePatterns: ['dist', 'coverage', 'apps', 'bench', 'docs', 'reports'],
  // Stryker would rewrite its paths with the compiler's API, which TypeScript 7 has not; nothing in it leads outside.
  tsconfigFile: 'none',
  coverageAnalysis: 'perTest',
  timeoutMS: 5_000,
  concurrency: Number(process.env.MUTATE_CONCURRENCY ?? 1),
  // What has not changed since the last run of this folder is not run again.
  incremental: true,
  incrementalFile: `coverage/mutation/${folder.replaceAll('/', '-')}.json`,
  reporters: ['clear-text', 'progress-append-only'],
  allowConsoleColors: false,
  clearTextReporter: { allowColor: false, logTests: false },
  tempDirName: 'coverage/mutation/sandbox',
};
