// Vitest reporter: leaves the counts where scripts/test.mjs finds them (the file named by SPLITGROW_COUNTS).
import { writeFileSync } from 'node:fs';

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default class Counts {
  onTestRunEnd(modules, unhandledErrors, reason) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed') counts.passed += 1;
        else if (state === 'failed') counts.failed += 1;
        else counts.skipped += 1;
      }
      // Files that do not load and hooks that fail hold no failed test.
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    }
    if (reason === 'failed' && counts.failed === 0) counts.failed = 1;
    if (process.env.SPLITGROW_COUNTS) writeFileSync(process.env.SPLITGROW_COUNTS, JSON.stringify(counts));
  }
}
