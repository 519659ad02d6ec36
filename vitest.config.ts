import { createRequire } from 'node:module';
import { configDefaults, defineConfig } from 'vitest/config';

// Node gives everybody the one graphql that `require` gives Apollo; Vite would give our sources a second copy of it.
const graphql = createRequire(import.meta.url).resolve('graphql');

const compiled = new URL('node_modules/.cache/compiled', import.meta.url).pathname;

export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  test: {
    include: ['test/**/*.test.ts'],
    // Long runs of faults take minutes: `npm run test:faults` and `npm run test:cache` ask for them.
    exclude: [
      ...configDefaults.exclude,
      ...(process.env.FAULTS_SECONDS
        ? []
        : [
            'test/faults/{history,degradation,orders}/long-run.test.ts',
            'test/faults/workers/*.test.ts',
            'test/simulator/{restart,away,funds}.test.ts',
          ]),
      ...(process.env.CACHE_SECONDS ? [] : ['test/faults/cache/long-run.test.ts']),
    ],
    // What the custodian and the audit do by themselves would come between a test and what it looks at; tests that want it start it.
    // Programs that tests start load what they import from here, in half the time.
    env: {
      NODE_COMPILE_CACHE: compiled,
      CUSTODIAN_FOLLOW_TRADES: 'false',
      CUSTODIAN_SETTLE: 'false',
      CUSTODIAN_RECONCILE_SECONDS: '0',
      AUDIT_FOLLOW: 'false',
    },
    globalSetup: ['test/support/postgres.ts'],
    reporters: ['default', './test/support/totals-reporter.ts'],
    pool: 'forks',
    maxWorkers: 3,
    isolate: false, // to load the graph's packages anew for each file took a third of the run; no file changes a module
    testTimeout: 60_000, // a minute: a slow machine is no failure, a hang is
    hookTimeout: 120_000, // two minutes: a graph with its databases
    expect: { poll: { timeout: 30_000, interval: 20 } }, // half a test's time: what is polled for is there as a rule
  },
});
