// Test runner: plain Node, native code in processes of its own, a closing line that counts.
import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A crash of native code takes down one worker process, not the run.
    pool: 'forks',
    maxWorkers: 2,
    // About ten times what the slowest takes on an idle machine: a limit ends what hangs, and is no measure of speed.
    testTimeout: 600_000,
    hookTimeout: 1_200_000,
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      reportsDirectory: 'build/coverage',
      reporter: ['text', 'lcov', 'json-summary'],
    },
    reporters: ['default', './scripts/vitest-reporter.mjs'],
  },
});
