// Packs, installs into an empty folder with an empty home and cache, sets up and uses the package as a stranger would,
// under each Node.js that is served: node scripts/fresh-machine.mjs [--download] [--node VERSION,...] [--keep]
// --download: fetches LibTorch into the empty cache instead of naming the one of this machine
// --keep: leaves the folder
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { libtorch } from './build.mjs';
import { AFTER, BEFORE, EACH, SETUP, TRACES } from './fresh/checks.mjs';
import { fetchNode, NODES, thisNode } from './fresh/nodes.mjs';
import { makePlace } from './fresh/place.mjs';
import { main, must, ROOT, StepError, say, step } from './steps.mjs';

const PREBUILT = join(ROOT, 'prebuilds', 'linux-x64', 'splitgrow_core.so');

/** The package as npm would publish it. */
async function pack(folder) {
  if (!existsSync(PREBUILT)) throw new StepError(`${PREBUILT} is missing; run: npm run prebuild`);
  const parameters = [
    'pack',
    '--json',
    '--ignore-scripts',
    '--loglevel',
    'error',
    '--pack-destination',
    folder,
  ];
  const [{ filename }] = JSON.parse(await must('npm pack', 'npm', parameters));
  return join(folder, filename);
}

/** The python3 that is behind a version manager's script, so that it works in another home. */
function realPython() {
  return execFileSync('python3', ['-I', '-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).trim();
}

/** Tries everything; resolves to { passed, failed, skipped }. A Node.js that cannot be fetched is skipped, with the reason. */
export async function freshMachine({ download = false, nodes = NODES, keep = false } = {}) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const attempt = async (label, row, at) => {
    try {
      await step(`  ${label}${row.name}`, () => row.run(at));
      counts.passed += 1;
    } catch (error) {
      say(`  ${label}${row.name}: FAILED\n${error.message.replace(/^/gm, '    ')}`);
      counts.failed += 1;
    }
    return counts.failed === 0;
  };
  const place = await makePlace();
  try {
    const here = thisNode(place);
    const tarball = await pack(place.folder('pack'));
    const at = { place, node: here, tarball, libtorch: download ? null : (await libtorch()).root };
    for (const row of BEFORE) if (!(await attempt('', row, at))) return counts;
    if (download) place.allow('python3', realPython());
    if (!(await attempt('', SETUP, at))) return counts;
    for (const row of AFTER) await attempt('', row, at);
    for (const version of nodes) {
      const node = await fetchNode(place, here, version);
      if (node.reason !== undefined) {
        say(`  Node.js ${version} skipped: ${node.reason}`);
        counts.skipped += EACH.length;
        continue;
      }
      for (const row of EACH) await attempt(`Node.js ${version}: `, row, { ...at, node });
    }
    await attempt('', TRACES, at);
    return counts;
  } finally {
    if (keep) say(`  kept: ${place.root}`);
    else place.remove();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { download: { type: 'boolean' }, node: { type: 'string' }, keep: { type: 'boolean' } },
  });
  await main(async () => {
    const nodes = values.node?.split(',') ?? NODES;
    const { passed, failed, skipped } = await freshMachine({ ...values, nodes });
    say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    return failed === 0 ? 0 : 1;
  });
}
