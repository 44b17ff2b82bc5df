// The gate, one line a step: format and lint (Biome), types (tsc), C++ format (clang-format), import rules.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brokenImportRules } from './check-imports.mjs';
import { filesIn, main, must, ROOT, run, say, tool } from './steps.mjs';

const NATIVE = filesIn(['native'], (path) => /\.(cc|h|cu|cuh)$/.test(path));

const STEPS = [
  { name: 'format and lint', command: ['biome', 'ci', '--colors=off', '.'] },
  { name: 'types', command: ['tsc', '-p', 'tsconfig.test.json'] },
  { name: 'C++ format', command: ['clang-format', '--dry-run', '--Werror', ...NATIVE] },
  { name: 'import rules', work: brokenImportRules },
];

const MOST_LINES = 60;

/** Indented, its first lines only. */
function shortened(output) {
  const lines = output.split('\n');
  const more = lines.length > MOST_LINES ? [`... and ${lines.length - MOST_LINES} lines more`] : [];
  return [...lines.slice(0, MOST_LINES), ...more].map((line) => `  ${line}`).join('\n');
}

/** Runs every step, also after a failure. Resolves to how many passed and failed. */
export async function check() {
  const counts = { passed: 0, failed: 0 };
  // Scripts and benchmarks import what is compiled.
  if (!existsSync(join(ROOT, 'dist')))
    await must('compiling TypeScript', tool('tsc'), ['-p', 'tsconfig.json']);
  for (const { name, command, work } of STEPS) {
    const start = performance.now();
    const problems = work ? await work() : await run(tool(command[0]), command.slice(1), { quiet: true });
    const output = work ? problems.join('\n') : problems.output.trim();
    const isGood = work ? problems.length === 0 : problems.code === 0;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    say(`${name.padEnd(24)} ${isGood ? 'ok' : 'FAILED'}, ${seconds} s`);
    if (!isGood) say(shortened(output));
    counts[isGood ? 'passed' : 'failed'] += 1;
  }
  return counts;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => ((await check()).failed === 0 ? 0 : 1));
}
