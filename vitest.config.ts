import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => new URL(path, import.meta.url).pathname;

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
    include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'],
    setupFiles: ['./test/setup.ts'],
    coverage: {
      provider: 'v8',
      include: ['libs/*/src/**/*.ts'],
      exclude: ['**/*.spec.ts', '**/index.ts'],
      reporter: ['text', 'json-summary'],
    },
  },
});
