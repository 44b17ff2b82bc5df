// npm run licences: the licence of everything that is installed with the package, held against what is allowed, as LICENCES.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { init } from 'license-checker-rseidelsohn';
import { main, ROOT, StepError, say } from './steps.mjs';

export const PAGE = join(ROOT, 'LICENCES.md');

/** Licences that a dependency at run time may have, and why. */
export const ALLOWED = {
  MIT: 'permissive: keep the notice',
  ISC: 'permissive: keep the notice',
  '0BSD': 'permissive, without conditions',
  'BSD-2-Clause': 'permissive: keep the notice',
  'BSD-3-Clause': 'permissive: keep the notice, no endorsement',
  'BlueOak-1.0.0': 'permissive: keep the notice',
  'Apache-2.0': 'permissive: keep the notice, say what was changed; grants patents',
  Unlicense: 'public domain',
};

/** What comes along outside npm: carried by a package, or fetched by set-up from PyPI. A wheel without a row is an error. */
const CARRIED = [
  {
    name: 'libjpeg-turbo 3.1.3',
    licence: 'IJG AND BSD-3-Clause',
    where:
      'in @julusian/jpeg-turbo; this software is based in part on the work of the Independent JPEG Group',
  },
  {
    name: 'HiGHS',
    licence: 'MIT',
    where: 'in highs, as WebAssembly',
  },
  {
    name: 'Graphviz',
    licence: 'Eclipse Public License',
    where: 'in @viz-js/viz, as WebAssembly; its licence and source are at graphviz.org',
  },
  {
    name: 'Fashion-MNIST, its 10,000 test images',
    licence: 'MIT',
    where: 'in data/, Copyright (c) 2017 Zalando SE',
  },
];

const NVIDIA =
  "NVIDIA's CUDA Toolkit EULA (proprietary): free of charge, not redistributed by this package; the text is kept in the cache";

/** Licence of a wheel by the name of its project; names that end in * are prefixes. */
const WHEELS = {
  torch: 'BSD-3-Clause; the NOTICE and LICENSE kept in the cache list what is linked in',
  'nvidia-nccl-cu13':
    'that of the licence file in the wheel, whose metadata names none; headers only are read',
  'nvidia-*': NVIDIA,
  triton: 'MIT',
};

function licenceOfWheel(requirement) {
  const project = requirement.split('==')[0];
  const key = Object.keys(WHEELS).find((name) =>
    name.endsWith('*') ? project.startsWith(name.slice(0, -1)) : name === project,
  );
  if (key === undefined)
    throw new StepError(`${requirement}: expected a licence in WHEELS of scripts/licences.mjs, found none`);
  return WHEELS[key];
}

/** Whether one of the alternatives of an SPDX expression without AND is allowed. */
export function isAllowed(licence) {
  return licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((name) => Object.hasOwn(ALLOWED, name));
}

/** [name, version, licence] of every package that `npm install splitgrow` brings, sorted. */
async function packages() {
  const found = await new Promise((resolve, reject) => {
    init({ start: ROOT, production: true }, (error, result) => (error ? reject(error) : resolve(result)));
  });
  const { name: own } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return Object.entries(found)
    .map(([key, { licenses }]) => {
      const at = key.lastIndexOf('@');
      return [key.slice(0, at), key.slice(at + 1), [licenses].flat().join(' AND ')];
    })
    .filter(([name]) => name !== own)
    .sort(([a, v], [b, w]) => (a === b ? (v < w ? -1 : 1) : a < b ? -1 : 1));
}

/** Every wheel that any table of lib/machine/libtorch pins. */
async function wheels() {
  const pinned = (file) => import(pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', file)).href);
  const found = new Set();
  const walk = (value) => {
    if (typeof value !== 'object' || value === null) return;
    if (typeof value.requirement === 'string') found.add(value.requirement);
    for (const inner of Object.values(value)) walk(inner);
  };
  for (const file of ['pinned.js', 'pinned-cuda.js']) walk(await pinned(file));
  return [...found].sort();
}

const row = (...cells) => `| ${cells.join(' | ')} |`;

/** The page, and what is not allowed. */
export async function licences() {
  const list = await packages();
  const refused = list.filter(([, , licence]) => !isAllowed(licence));
  const requirements = await wheels();
  const page = `# Licences

Written by \`npm run licences\`; do not edit: a test compares this page with what is installed.

splitgrow itself is under the [MIT licence](LICENSE). What is installed with it:

## From npm, at run time

A licence is allowed where it is in this table; another one fails the script.

${row('licence', 'allowed because it is')}
${row('---', '---')}
${Object.entries(ALLOWED)
  .map(([name, why]) => row(name, why))
  .join('\n')}

${row('package', 'version', 'licence')}
${row('---', '---', '---')}
${list.map(([name, version, licence]) => row(`\`${name}\``, version, licence)).join('\n')}

## Carried in those packages and in this one

${row('what', 'licence', 'where')}
${row('---', '---', '---')}
${CARRIED.map(({ name, licence, where }) => row(name, licence, where)).join('\n')}

## Fetched from PyPI, by set-up and by \`npm run build:cuda\`

None of these is part of the package: set-up fetches them from PyPI, unchanged.

${row('wheel', 'licence')}
${row('---', '---')}
${requirements.map((name) => row(`\`${name}\``, licenceOfWheel(name))).join('\n')}
`;
  return { page, refused };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const { page, refused } = await licences();
    for (const [name, version, licence] of refused)
      say(`${name} ${version}: expected an allowed licence, found ${licence}`);
    if (refused.length > 0) return 1;
    writeFileSync(PAGE, page);
    say('LICENCES.md written');
    return 0;
  });
}
