// npm test: makes the clone ready, runs the gate and every test, and ends with the line "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { check } from './check.mjs';
import { freshMachine } from './fresh-machine.mjs';
import { lintPackage } from './lint-package.mjs';
import { PLATFORM, prebuild } from './prebuild.mjs';
import { run, StepError, say, step, tool } from './steps.mjs';

const total = { passed: 0, failed: 0, skipped: 0 };

function add(counts) {
  for (const key of Object.keys(total)) total[key] += counts[key] ?? 0;
}

/** Runs vitest; what it counted, or one failure when it did not come to the end. */
async function tests(parameters) {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-test-'));
  const file = join(folder, 'counts.json');
  try {
    const { code } = await run(tool('vitest'), ['run', ...parameters], { env: { SPLITGROW_COUNTS: file } });
    const counts = JSON.parse(readFileSync(file, 'utf8'));
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } catch {
    return { failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A part of the tests alone, as in `npm test -- test/graph`, leaves the fresh machine out. */
const chosen = process.argv.slice(2);
const isServed = PLATFORM === `${process.platform}-${process.arch}`;
try {
  await bootstrap();
  // The tests of the package look at it; what the bootstrap compiled is only copied and stripped.
  if (isServed) await step('prebuilt addon', () => prebuild());
  add(await check());
  add(await lintPackage());
  add(await tests(chosen));
  if (isServed && chosen.length === 0) {
    say('the package on a fresh machine');
    add(await freshMachine());
  }
} catch (error) {
  say(error instanceof StepError ? error.message : (error?.stack ?? String(error)));
  total.failed += 1;
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
