import process from 'node:process';
import { defineConfig } from 'vitest/config';

import root from '../../vitest.config.js';

/** The specs beside the mutated sources and no others: a promise is kept where it is made. */
export default defineConfig({
  ...root,
  test: {
    setupFiles: ['./test/setup.ts'],
    include: [`${process.env['MUTATE']}/**/*.spec.ts`],
    // One worker loads the sources once for all specs: four times as fast, and no module of ours keeps state.
    isolate: false,
  },
});
