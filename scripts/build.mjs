// Builds the addon with cmake-js: node scripts/build.mjs [--sanitize LIST --out FOLDER] [--force]
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { digest, filesIn, isStamped, main, ROOT, run, StepError, stamp, step, tool } from './steps.mjs';

/** The LibTorch that dist/ finds; the TypeScript has been compiled before. */
export async function libtorch() {
  const file = join(ROOT, 'dist', 'machine', 'libtorch', 'locate.js');
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
  // What splitgrow build put there was compiled against another LibTorch, and CMake does not know of it.
  const release = join(ROOT, out, 'Release');
  if (existsSync(join(release, 'addon.json'))) rmSync(release, { recursive: true, force: true });
  const targets = ['splitgrow.node', 'splitgrow_core.so'].map((name) => join(release, name));
  const name = `native-${out}`;
  if (!force && isStamped(name, wanted) && targets.every(existsSync)) return 'up to date';
  const { compile } = await import(
    pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'compile.js')).href
  );
  const onProgress = (what, done, total) => show(total > 0 ? `${what} ${done}/${total}` : what);
  await compile({
    libtorch: torch.root,
    out: join(ROOT, out),
    definitions: { SPLITGROW_SANITIZE: sanitize },
    onProgress,
  }).catch((error) => {
    throw new StepError(error.message);
  });
  stamp(name, wanted);
  return 'built';
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { sanitize: { type: 'string' }, out: { type: 'string' }, force: { type: 'boolean' } },
  });
  await main(() => step('addon', (show) => build({ ...values, show })));
}
