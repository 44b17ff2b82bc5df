// What is tried on a fresh machine: before set-up, at set-up, and under every Node.js. Each row throws where it fails.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../steps.mjs';

const SEED = ['cost', '--network', 'mobilenet_cifar10', '--blocks', '3', '--width', '8', '--json'];
const RUN = ['grow', 'experiment.json', '--json'];

/** The README's script of ten lines, as it stands there. */
export function readmeScript() {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const block = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
  const script = block.find((code) => /import \{ grow \} from 'splitgrow'/.test(code));
  assert.ok(script, "README.md has no script that imports grow from 'splitgrow'");
  return script;
}

function succeeded({ code, stdout, stderr }) {
  assert.equal(code, 0, `exit code ${code}\n${stdout}\n${stderr}`.trim());
  return stdout;
}

/** The tools of one place and one Node.js. */
function hands({ place, node }) {
  const run = (command, parameters, options) => place.run(node.folder, command, parameters, options);
  return {
    script: async (name, ...words) => JSON.parse(succeeded(await run('node', [name, ...words]))),
    splitgrow: (...words) => run('npx', ['--no-install', 'splitgrow', ...words]),
    run,
  };
}

/** Before set-up; once. */
export const BEFORE = [
  {
    name: 'npm installs the package and runs no script',
    run: async ({ place, node, tarball }) => {
      writeFileSync(join(place.project, 'package.json'), '{ "private": true }\n');
      const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      const types = `@types/node@${devDependencies['@types/node']}`;
      const options = ['--no-audit', '--no-fund', '--foreground-scripts', '--loglevel', 'error'];
      succeeded(await place.run(node.folder, 'npm', ['install', ...options, tarball, types]));
      const lock = JSON.parse(readFileSync(join(place.project, 'package-lock.json'), 'utf8'));
      const scripts = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
      assert.deepEqual(scripts, []);
    },
  },
  {
    name: 'what needs no LibTorch works before set-up',
    run: async (at) => {
      const { script, splitgrow } = hands(at);
      const { macs } = JSON.parse(succeeded(await splitgrow(...SEED)));
      assert.deepEqual(await script('use.mjs', 'pure'), { macs });
      assert.match(succeeded(await splitgrow('--help')), /grow/);
    },
  },
  {
    name: 'what needs LibTorch says the one command',
    run: async (at) => {
      const { script, splitgrow } = hands(at);
      const { code, stderr } = await splitgrow(...RUN);
      assert.equal(code, 1);
      assert.match(stderr, /^splitgrow: E_LIBTORCH: expected LibTorch .*; run: npx splitgrow setup\n$/m);
      const doctor = await splitgrow('doctor');
      assert.equal(doctor.code, 1);
      assert.match(doctor.stdout, /To do:\n(.*\n)* {2}LibTorch: npx splitgrow setup$/m);
      const { code: named, message } = await script('use.mjs', 'native');
      assert.equal(named, 'E_LIBTORCH');
      assert.match(message, /npx splitgrow setup$/);
    },
  },
  ...['nodenext', 'bundler'].map((resolution) => ({
    name: `TypeScript compiles strictly by moduleResolution ${resolution}`,
    run: async ({ place, node }) => {
      const module = resolution === 'nodenext' ? 'nodenext' : 'esnext';
      const lib = ['es2022', 'esnext.disposable'];
      const compilerOptions = {
        ...{ strict: true, noEmit: true, skipLibCheck: false, noUncheckedIndexedAccess: true },
        ...{ exactOptionalPropertyTypes: true, target: 'es2022', lib, types: ['node'] },
        ...{ module, moduleResolution: resolution },
      };
      const config = `tsconfig.${resolution}.json`;
      writeFileSync(join(place.project, config), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
      writeFileSync(join(place.project, 'package.json'), '{ "private": true, "type": "module" }\n');
      const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      succeeded(await place.run(node.folder, 'node', [compiler, '--project', config]));
    },
  })),
];

/** Set-up itself; once. */
export const SETUP = {
  name: 'set-up',
  run: async (at) => {
    const { splitgrow } = hands(at);
    const words = at.libtorch === null ? [] : ['--libtorch', at.libtorch];
    const { libtorch, opens } = JSON.parse(succeeded(await splitgrow('setup', ...words, '--json')));
    assert.equal(opens, true);
    assert.match(libtorch.version, /^2\.11\.0/);
  },
};

/** Once, after set-up: takes longest. */
export const AFTER = [
  {
    name: "the README's script grows a network",
    run: async (at) => {
      const { run } = hands(at);
      writeFileSync(join(at.place.project, 'readme.mjs'), readmeScript());
      const lines = succeeded(await run('node', ['readme.mjs']))
        .trim()
        .split('\n');
      assert.ok(lines.length >= 2, lines.join('\n'));
      for (const line of lines) assert.match(line, /^stage \d: \d+ MACs, top-1 [\d.]+ %$/);
    },
  },
];

/** Under every Node.js. */
export const EACH = [
  {
    name: 'ES module, CommonJS and Worker compute',
    run: async (at) => {
      const { script } = hands(at);
      const module = await script('use.mjs', 'native');
      assert.deepEqual(module, { macs: module.macs, isTimed: true, threads: 1 });
      const [major, minor] = at.node.version.split('.').map(Number);
      const canRequire = major > 22 || (major === 22 && minor >= 12);
      const expected = { macs: module.macs, isTimed: true };
      for (const name of canRequire ? ['require.cjs', 'import.cjs'] : ['import.cjs'])
        assert.deepEqual(await script(name), expected);
      assert.deepEqual(await script('worker.mjs'), { main: true, worker: true, exitCode: 0 });
    },
  },
  {
    name: 'the command: doctor, cost, a short run',
    run: async (at) => {
      const { splitgrow } = hands(at);
      const { isReady, findings } = JSON.parse(succeeded(await splitgrow('doctor', '--json')));
      assert.equal(isReady, true);
      const addon = findings.find(({ name }) => name === 'addon');
      assert.match(addon.found, /\(prebuilt; /);
      assert.equal(findings.find(({ name }) => name === 'Node.js').found, at.node.version);
      const { macs } = JSON.parse(succeeded(await splitgrow(...SEED)));
      const output = `runs/${at.node.version}`;
      const { stages } = JSON.parse(succeeded(await splitgrow(...RUN, '--set', `output=${output}`)));
      assert.equal(stages.length, 2);
      assert.ok(stages[1].macs > stages[0].macs && macs > 0);
      assert.ok(existsSync(join(at.place.project, output, 'report.html')));
    },
  },
];

/** Once, at the end. */
export const TRACES = {
  name: 'nothing is left outside project and cache',
  run: async ({ place }) => {
    assert.deepEqual(place.list(place.temporary), []);
    assert.deepEqual(place.list(place.home), ['.cache']);
    assert.deepEqual(place.list(join(place.home, '.cache')), ['splitgrow']);
  },
};
