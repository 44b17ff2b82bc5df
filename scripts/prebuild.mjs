// Makes prebuilds/linux-x64: the addon as the npm package carries it. node scripts/prebuild.mjs [--cuda] [--out FOLDER]
// --cuda: with the CUDA library, compiled without a GPU too
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkSymbols } from './check-symbols.mjs';
import { filesIn, main, must, ROOT, StepError, say, step, tool } from './steps.mjs';

export const PLATFORM = 'linux-x64';
const JPEG = '@julusian/jpeg-turbo';
const JPEG_FILE = 'libturbojpeg.so.0';
const JPEG_LICENCE = 'libjpeg-turbo.md';

/** Files that are not compiled here: libjpeg-turbo's library and its licences. */
function artifacts(folder) {
  mkdirSync(folder);
  const carrier = dirname(createRequire(import.meta.url).resolve(`${JPEG}/package.json`));
  copyFileSync(join(carrier, 'prebuilds', `jpeg-turbo-${PLATFORM}`, JPEG_FILE), join(folder, JPEG_FILE));
  copyFileSync(join(ROOT, 'native', 'licences', JPEG_LICENCE), join(folder, JPEG_LICENCE));
  return folder;
}

/**
 * Makes `out`/prebuilds/linux-x64 anew, and checks its symbols before it replaces the one before. Resolves to a note for the user.
 * `isBuilt`: what lies in build/Release is taken as it is, and nothing compiled.
 */
export async function prebuild({ cuda = false, out = ROOT, isBuilt = false, onOutput = () => {} } = {}) {
  const here = `${process.platform}-${process.arch}`;
  if (here !== PLATFORM) throw new StepError(`prebuilds are made on ${PLATFORM}, this is ${here}`);
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  // prebuildify strips and moves what it finds in <cwd>/build/Release: a folder of its own keeps npm run build's as it is.
  const work = mkdtempSync(join(ROOT, 'build', 'prebuild-'));
  try {
    const parameters = [
      ...['--napi', '--strip', '--name', 'splitgrow', '--cwd', work, '--out', work],
      ...['--node-gyp', join(ROOT, 'scripts', 'prebuild-compile.mjs')],
      ...['--artifacts', artifacts(join(work, 'artifacts'))],
    ];
    const env = { SPLITGROW_PREBUILD_CUDA: cuda ? '1' : '0', SPLITGROW_PREBUILD_BUILT: isBuilt ? '1' : '0' };
    await must('prebuildify', tool('prebuildify'), parameters, { env, onOutput });
    const made = join(work, 'prebuilds', PLATFORM);
    const note = await checkSymbols(
      filesIn([relative(ROOT, made)], (path) => /\.(node|so(\.\d+)?)$/.test(path)),
    );
    const target = join(out, 'prebuilds', PLATFORM);
    mkdirSync(dirname(target), { recursive: true });
    // `out` may lie on another disk.
    const fresh = `${target}.new-${process.pid}`;
    cpSync(made, fresh, { recursive: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
    return `${note} within the floor`;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { cuda: { type: 'boolean' }, out: { type: 'string' } } });
  const out = values.out === undefined ? ROOT : resolve(values.out);
  await main(async () => {
    const onOutput = (text) => process.stderr.write(text);
    await step('prebuilt addon', () => prebuild({ cuda: values.cuda, out, onOutput }));
    const folder = join(out, 'prebuilds', PLATFORM);
    for (const name of readdirSync(folder).sort())
      say(`  ${name.padEnd(22)} ${String(statSync(join(folder, name)).size).padStart(9)} bytes`);
  });
}
