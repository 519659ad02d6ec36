import type { Reporter, TestModule } from 'vitest/node';

/** Prints the totals as one closing line that any CI can read. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) totals[test.result().state]++;
      if (module.state() === 'failed' && module.errors().length > 0) totals.failed++;
    }
    process.on('exit', () => {
      process.stdout.write(
        `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped + totals.pending} skipped\n`,
      );
    });
  }
}
