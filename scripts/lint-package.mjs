// npm run lint:package: publint and are-the-types-wrong on the packed tarball; any remark fails.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main, must, run, StepError, say, tool } from './steps.mjs';

/**
 * The package is ES modules alone. This profile leaves out what such a package cannot serve: resolution of before
 * package.json had `exports` (node10), and `require` in TypeScript's node16 mode, where a CommonJS file writes
 * `await import('splitgrow')` instead.
 */
const PROFILE = 'esm-only';

const CHECKS = [
  { name: 'publint', words: (tarball) => [tarball, '--strict'] },
  {
    name: 'attw',
    words: (tarball) => [tarball, '--profile', PROFILE, '--no-color', '--no-emoji', '--no-definitely-typed'],
  },
];

/** Packs dist/ as it is and runs every check. Resolves to how many passed and failed. */
export async function lintPackage() {
  const counts = { passed: 0, failed: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-pack-'));
  try {
    await must('packing', 'npm', [
      'pack',
      '--ignore-scripts',
      '--pack-destination',
      folder,
      '--loglevel',
      'error',
    ]);
    const [name] = readdirSync(folder);
    if (name === undefined) throw new StepError('npm pack left no tarball');
    for (const { name: check, words } of CHECKS) {
      const start = performance.now();
      const { code, output } = await run(tool(check), words(join(folder, name)), { quiet: true });
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      say(`${check.padEnd(24)} ${code === 0 ? 'ok' : 'FAILED'}, ${seconds} s`);
      if (code !== 0) say(output.trim());
      counts[code === 0 ? 'passed' : 'failed'] += 1;
    }
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await must('compiling TypeScript', tool('tsc'), ['-p', 'tsconfig.json']);
    return (await lintPackage()).failed === 0 ? 0 : 1;
  });
}
