import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**'],
    globalSetup: ['test/support/postgres.ts'],
    reporters: ['default', './test/support/totals-reporter.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000, // a minute: a slow machine is no failure, a hang is
    hookTimeout: 120_000, // two minutes: a graph with its databases
  },
});
