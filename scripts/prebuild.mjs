// Makes prebuilds/linux-x64: the addon as the npm package carries it. node scripts/prebuild.mjs [--cuda]
// --cuda: with the CUDA library, compiled without a GPU too
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { binaries, checkSymbols } from './check-symbols.mjs';
import { main, must, ROOT, StepError, say, step, tool } from './steps.mjs';

const PLATFORM = 'linux-x64';
const JPEG = '@julusian/jpeg-turbo';
const JPEG_FILE = 'libturbojpeg.so.0';

/** Files that are not compiled here: libjpeg-turbo's library and its licences. */
function artifacts(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const carrier = dirname(createRequire(import.meta.url).resolve(`${JPEG}/package.json`));
  copyFileSync(join(carrier, 'prebuilds', `jpeg-turbo-${PLATFORM}`, JPEG_FILE), join(folder, JPEG_FILE));
  const licence = 'libjpeg-turbo.md';
  copyFileSync(join(ROOT, 'native', 'licences', licence), join(folder, licence));
}

async function prebuild(isCuda) {
  const here = `${process.platform}-${process.arch}`;
  if (here !== PLATFORM) throw new StepError(`prebuilds are made on ${PLATFORM}, this is ${here}`);
  const work = join(ROOT, 'build', 'prebuild');
  mkdirSync(work, { recursive: true });
  artifacts(join(work, 'artifacts'));
  // prebuildify strips and moves what it finds in <cwd>/build/Release: a folder of its own keeps npm run build's as it is.
  const made = join(work, 'prebuilds', PLATFORM);
  rmSync(made, { recursive: true, force: true });
  const parameters = [
    ...['--napi', '--strip', '--name', 'splitgrow', '--cwd', work, '--out', work],
    ...['--node-gyp', join(ROOT, 'scripts', 'prebuild-compile.mjs'), '--artifacts', join(work, 'artifacts')],
  ];
  await must('prebuildify', tool('prebuildify'), parameters, {
    env: { SPLITGROW_PREBUILD_CUDA: isCuda ? '1' : '0' },
    onOutput: (text) => process.stderr.write(text),
  });
  const target = join(ROOT, 'prebuilds', PLATFORM);
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { recursive: true, force: true });
  renameSync(made, target);
  for (const name of readdirSync(target).sort())
    say(`  ${name.padEnd(22)} ${String(statSync(join(target, name)).size).padStart(9)} bytes`);
}

const { values } = parseArgs({ options: { cuda: { type: 'boolean' } } });
await main(async () => {
  await prebuild(values.cuda === true);
  await step('symbols', () => checkSymbols(binaries()));
});
