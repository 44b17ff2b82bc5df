// What npm would publish: every file has a reason, nothing needed is missing, no package that comes along runs a script.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { LIMITS, packList, packProblems } from '../../scripts/check-pack.mjs';
import { inFolder, ROOT } from '../data/places.js';

const run = promisify(execFile);

interface Locked {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const json = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const hasPrebuilds = existsSync(join(ROOT, 'prebuilds', 'linux-x64', 'splitgrow.node'));

test(`npm pack holds what is needed and nothing else${hasPrebuilds ? '' : ', but for the prebuilt addon, which was not made here'}`, async () => {
  const list = await packList();
  expect(packProblems(list, { isWhole: hasPrebuilds })).toEqual([]);
  expect(list.size).toBeGreaterThan(1_000_000);
});

test('a file without a reason, a missing one and a package that is too large are refused', () => {
  const list = { files: [{ path: 'dist/index.js', size: 1 }], size: 1, unpackedSize: 1 };
  const problems = (paths: readonly string[]) =>
    packProblems({ ...list, files: paths.map((path) => ({ path, size: 1 })) });
  for (const path of [
    '.env',
    'native/cuda/twin/grid.cc',
    'dist/index.js.map',
    'runs/demo/weights.safetensors',
    'docs/x.png',
  ])
    expect(problems([path])).toContain(`${path}: no row of PARTS says why it ships`);
  expect(problems(['dist/index.js'])).toEqual(
    expect.arrayContaining([expect.stringMatching(/splitgrow_core\\\.so\$: what computes$/)]),
  );
  expect(packProblems({ ...list, size: LIMITS.packed + 1 })).toContain(
    `${LIMITS.packed + 1} bytes packed, expected at most ${LIMITS.packed}`,
  );
});

test('installing runs no script: neither ours nor that of any package that is needed at run time', () => {
  const { scripts } = json('package.json') as { scripts: Record<string, string> };
  const hooks = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];
  expect(hooks.filter((hook) => Object.hasOwn(scripts, hook))).toEqual([]);
  const packages = Object.entries(json('package-lock.json').packages as Record<string, Locked>);
  const needed = packages.filter(([path, { dev }]) => path !== '' && dev !== true);
  expect(needed.length).toBeGreaterThan(20);
  expect(
    needed.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path),
  ).toEqual([]);
});

test('npm ci in a checkout runs no script of a development package, by two settings of npm', () => {
  const { allowScripts } = json('package.json') as { allowScripts: Record<string, boolean> };
  const packages = Object.entries(json('package-lock.json').packages as Record<string, Locked>);
  const withScripts = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(Object.keys(allowScripts).sort()).toEqual(withScripts.sort());
  expect(Object.values(allowScripts)).not.toContain(true);
  const calls = ['scripts/bootstrap.mjs', 'scripts/fresh/nodes.mjs'].map((file) =>
    readFileSync(join(ROOT, file), 'utf8'),
  );
  for (const text of calls) expect(text).toMatch(/'(ci|install)',[^\]]*'--ignore-scripts'/);
});

test.each([
  ['runs no install script with the .npmrc of the checkout', true],
  ['runs it without', false],
])('npm %s', (_, isGuarded) =>
  inFolder(async (folder) => {
    const dependency = join(folder, 'dependency');
    const marker = join(folder, 'ran');
    await mkdir(dependency);
    await writeFile(
      join(dependency, 'package.json'),
      JSON.stringify({ name: 'dependency', version: '1.0.0', scripts: { postinstall: `touch ${marker}` } }),
    );
    const project = join(folder, 'project');
    await mkdir(project);
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, dependency], { cwd: folder });
    const file = 'file:../dependency-1.0.0.tgz';
    await writeFile(
      join(project, 'package.json'),
      JSON.stringify({ private: true, devDependencies: { dependency: file } }),
    );
    if (isGuarded) await copyFile(join(ROOT, '.npmrc'), join(project, '.npmrc'));
    const env = { ...process.env, npm_config_ignore_scripts: undefined };
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund'], { cwd: project, env });
    expect(existsSync(join(project, 'node_modules', 'dependency'))).toBe(true);
    expect(existsSync(marker)).toBe(!isGuarded);
  }),
);

test('npm run build is not preceded by npm run prebuild, which npm takes for its hook', () => {
  expect(readFileSync(join(ROOT, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
});
