// The rooms of lib/ and of native/core/ in their order, from the lowest up. A file imports or includes from its own room and from
// rooms before it, types too, and no files do so in a circle. docs/architecture.md says what each room holds.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './steps.mjs';

export const ROOMS = [
  'errors.ts',
  'statistics',
  'graph',
  'models',
  'machine',
  'machine/files',
  'machine/process',
  'machine/download',
  'machine/libtorch',
  'machine/doctor',
  'native',
  'data',
  'train',
  'export',
  'distributed',
  'split/indices',
  'split/choose',
  'split/step',
  'rivals',
  'run/spec',
  'run/store',
  'run/stage',
  'run/init',
  'run',
  'figure',
  'bench',
  'report/page',
  'report/run',
  'report/figure',
  'report/bench',
  'report/live',
  'api',
  'cli',
  'index.ts',
];

/** Of native/core/; the highest alone knows JavaScript. */
export const NATIVE_ROOMS = ['tensor', 'ranks', 'ops', 'engine', 'train', 'indices', 'images', 'bind'];

/** addon.ts asks node-gyp-build for a path and opens nothing. */
const LOADERS = ['lib/native/load.ts', 'lib/machine/libtorch/preload.ts', 'lib/machine/libtorch/addon.ts'];

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;'"]*?['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/g;

const INCLUDE = /^\s*#\s*include "([^"]+)"/gm;

/** The position of a file's room among those of a folder: of the longest entry that it lies in. */
function roomOf(file, folder = 'lib', rooms = ROOMS) {
  const inside = rooms.filter(
    (room) => file === `${folder}/${room}` || file.startsWith(`${folder}/${room}/`),
  );
  return rooms.indexOf(inside.sort((a, b) => b.length - a.length)[0]);
}

/** Files of a folder of `root` whose names fit, as paths from `root`; none where there is no such folder. */
function filesBelow(root, folder, pattern) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/** Of each file of lib/ below `root`, the files of lib/ that it imports. */
function importsOf(files, root) {
  const entries = files.map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(IMPORT)].map(([, plain, lazy]) =>
      join(dirname(file), plain ?? lazy).replace(/\.js$/, '.ts'),
    );
    return [file, [...new Set(targets)].filter((target) => target.startsWith('lib/'))];
  });
  return new Map(entries);
}

/** Circles of files, each once: the strongly connected components of more than one file (Tarjan 1972). */
function circlesIn(imports) {
  const [index, low, stack, circles] = [new Map(), new Map(), [], []];
  const visit = (file) => {
    index.set(file, index.size);
    low.set(file, index.get(file));
    stack.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file), low.get(target)));
    }
    if (low.get(file) !== index.get(file)) return;
    const members = stack.splice(stack.indexOf(file));
    if (members.length > 1) circles.push(members.sort());
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
}

/** One line for each file of native/core/ without a room, include that leads up or to no file there, and circle of headers. */
function brokenIncludeRules(root) {
  const folder = 'native/core';
  const files = filesBelow(root, folder, /\.(cc|h|inc)$/);
  const room = (file) => roomOf(file, folder, NATIVE_ROOMS);
  const [problems, includes] = [[], new Map()];
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(INCLUDE)].map(([, name]) => `${folder}/${name}`);
    includes.set(file, targets);
    if (room(file) < 0) problems.push(`${file} lies in no room of scripts/check-imports.mjs`);
    if (text.includes('<napi.h>') && NATIVE_ROOMS[room(file)] !== NATIVE_ROOMS.at(-1))
      problems.push(
        `${file} must not include napi.h: only ${folder}/${NATIVE_ROOMS.at(-1)} knows JavaScript`,
      );
    for (const target of targets)
      if (!files.includes(target)) problems.push(`${file} must name the path of ${target} from ${folder}`);
      else if (room(target) > room(file))
        problems.push(`${file} must not include ${target}: its room comes later`);
  }
  for (const circle of circlesIn(includes))
    problems.push(`files include each other in a circle: ${circle.join(', ')}`);
  return problems;
}

/**
 * One line for each file without a room, import that leads up, circle, and file that loads the addon but is no loader.
 * `root` is the folder that holds lib/ and native/.
 */
export function brokenImportRules(root = ROOT) {
  const files = filesBelow(root, 'lib', /\.ts$/);
  const imports = importsOf(files, root);
  const problems = [];
  for (const [file, targets] of imports) {
    const room = roomOf(file);
    if (room < 0) problems.push(`${file} lies in no room of scripts/check-imports.mjs`);
    for (const target of targets.filter((one) => roomOf(one) > room))
      problems.push(`${file} must not import ${target}: its room comes later`);
    const loads = /node-gyp-build'|process\.dlopen/.test(readFileSync(join(root, file), 'utf8'));
    if (loads && !LOADERS.includes(file))
      problems.push(`${file} must not load native code: only ${LOADERS.join(', ')} do`);
  }
  for (const circle of circlesIn(imports))
    problems.push(`files import each other in a circle: ${circle.join(', ')}`);
  return [...problems, ...brokenIncludeRules(root)];
}
