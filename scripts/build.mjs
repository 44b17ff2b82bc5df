// Builds the addon with cmake-js: node scripts/build.mjs [--sanitize LIST --out FOLDER] [--force]
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { digest, filesIn, isStamped, main, must, ROOT, run, StepError, stamp, step, tool } from './steps.mjs';

/** The LibTorch that dist/ finds; the TypeScript has been compiled before. */
export async function libtorch() {
  const file = join(ROOT, 'dist', 'setup', 'locate.js');
  if (!existsSync(file)) await run(tool('tsc'), ['-p', 'tsconfig.json'], { quiet: true });
  const { locate } = await import(pathToFileURL(file).href);
  const { found, tried } = await locate();
  if (!found) {
    throw new StepError(
      `LibTorch was not found; run: npm run bootstrap\n${tried.map((t) => `  ${t}`).join('\n')}`,
    );
  }
  return found;
}

/** Builds if sources, options or LibTorch changed since the last time. Resolves to a note for the user. */
export async function build({ sanitize = '', out = 'build', force = false, show = () => {} } = {}) {
  const torch = await libtorch();
  const files = filesIn(
    ['CMakeLists.txt', 'native', 'package-lock.json'],
    (path) => !/\.(md|stamp)$/.test(path),
  );
  const wanted = digest(files, [torch.version, sanitize, process.arch]);
  const targets = ['splitgrow.node', 'splitgrow_core.so'].map((name) => join(ROOT, out, 'Release', name));
  const name = `native-${out}`;
  if (!force && isStamped(name, wanted) && targets.every(existsSync)) return 'up to date';
  const options = [
    '--directory',
    ROOT,
    '--out',
    join(ROOT, out),
    '--log-level',
    'error',
    '--parallel',
    String(availableParallelism()),
    `--CDSPLITGROW_LIBTORCH=${torch.root}`,
    `--CDSPLITGROW_SANITIZE=${sanitize}`,
  ];
  await must('configuring the addon', tool('cmake-js'), ['configure', ...options]);
  const onOutput = (text) => {
    const done = /\[\s*(\d+\/\d+|\d+%)\]/.exec(text)?.[1];
    if (done) show(`compiling ${done}`);
  };
  await must('building the addon', tool('cmake-js'), ['build', ...options], { onOutput });
  stamp(name, wanted);
  return 'built';
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { sanitize: { type: 'string' }, out: { type: 'string' }, force: { type: 'boolean' } },
  });
  await main(() => step('addon', (show) => build({ ...values, show })));
}
