// Makes a fresh clone ready: tools, npm packages, TypeScript, LibTorch, addon. Each step only when something changed.
import { existsSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import {
  digest,
  filesIn,
  isStamped,
  main,
  must,
  ROOT,
  run,
  StepError,
  say,
  stamp,
  step,
  tool,
} from './steps.mjs';

const NODE_FLOOR = [20, 17];
const CMAKE_FLOOR = [3, 18];

/** What must be there, how to ask for it, and what to install. */
const TOOLS = [
  {
    name: 'a C++ compiler',
    command: [process.env.CXX ?? 'c++', '--version'],
    install: 'sudo apt-get install g++',
  },
  {
    name: 'cmake >= 3.18',
    command: ['cmake', '--version'],
    install: 'sudo apt-get install cmake',
    floor: CMAKE_FLOOR,
  },
];

function isAtLeast(text, [major, minor]) {
  const found = /(\d+)\.(\d+)/.exec(text);
  if (!found) return false;
  const [, a, b] = found.map(Number);
  return a > major || (a === major && b >= minor);
}

async function checkTools() {
  const missing = [];
  if (!isAtLeast(process.versions.node, NODE_FLOOR)) {
    missing.push(`Node.js >= ${NODE_FLOOR.join('.')} (found ${process.versions.node}): see nodejs.org`);
  }
  for (const { name, command, install, floor } of TOOLS) {
    const { code, output } = await run(command[0], command.slice(1), { quiet: true });
    if (code !== 0 || (floor && !isAtLeast(output, floor))) missing.push(`${name}: ${install}`);
  }
  if (missing.length > 0) throw new StepError(`missing tools:\n  ${missing.join('\n  ')}`);
}

async function packages() {
  const lock = join(ROOT, 'package-lock.json');
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return 'up to date';
  if (existsSync(installed) && isStamped('packages', digest([lock]))) return 'up to date';
  await must('installing packages', 'npm', [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel',
    'error',
  ]);
  stamp('packages', digest([lock]));
  return 'installed';
}

async function typescript() {
  const files = filesIn(['lib', 'tsconfig.json', 'package-lock.json']);
  const wanted = digest(files);
  if (existsSync(join(ROOT, 'dist')) && isStamped('typescript', wanted)) return 'up to date';
  const { code } = await run(tool('tsc'), ['-p', 'tsconfig.json'], { quiet: true });
  // JavaScript of sources that are gone.
  for (const file of filesIn(['dist'], (path) => /\.(js|d\.ts)$/.test(path))) {
    const source = join('lib', relative(join(ROOT, 'dist'), file)).replace(/\.(js|d\.ts)$/, '.ts');
    if (!existsSync(join(ROOT, source))) rmSync(file);
  }
  // The compiler writes JavaScript all the same; the gate counts the type errors.
  if (code !== 0) return 'compiled with type errors (npm run check shows them)';
  stamp('typescript', wanted);
  return 'compiled';
}

/** LibTorch's progress: how far on a terminal, elsewhere one line a phase. */
async function libtorch(show) {
  const { setup } = await import(pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'setup.js')).href);
  let shown = '';
  const { libtorch: found, isNew } = await setup({
    onProgress: ({ phase, message, done, total }) => {
      const line = `${phase}: ${message}`;
      show(total > 0 ? `${line} ${Math.floor((100 * done) / total)} %` : line);
      if (line !== shown && !process.stderr.isTTY) say(line);
      shown = line;
    },
  });
  return isNew ? `installed (${found.version})` : `found (${found.version}, ${found.source})`;
}

export async function bootstrap() {
  await step('tools', checkTools);
  await step('packages', packages);
  await step('TypeScript', typescript);
  await step('LibTorch', libtorch);
  await step('addon', (show) => build({ show }));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(bootstrap);
