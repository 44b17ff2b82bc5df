// Loading the addon: the trace, a Worker, and the errors when LibTorch or the addon is not what it should be.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { loadCore, loadCoreTraced } from '../../lib/native/load.js';
import { inFolder, ROOT } from '../data/places.js';

const run = promisify(execFile);
const MODULE = pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href;

/** What loading in a process of its own says: `loaded`, or `CODE: message`. */
async function loadIn(env: Record<string, string>): Promise<string> {
  const script = `
    const { loadCore } = await import(${JSON.stringify(MODULE)});
    try {
      loadCore();
      console.log('loaded');
    } catch (error) {
      console.log(error.code + ': ' + error.message);
    }`;
  const options = { env: { ...process.env, ...env } };
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], options);
  return stdout.trimEnd();
}

async function fakeLibTorch(root: string, version: string): Promise<string> {
  await mkdir(join(root, 'lib'), { recursive: true });
  await mkdir(join(root, 'include'));
  await writeFile(join(root, 'lib', 'libtorch_cpu.so'), 'not a library');
  await writeFile(join(root, 'lib', 'libc10.so'), 'not a library');
  await writeFile(join(root, 'version.py'), `__version__ = '${version}'\n`);
  return root;
}

test('the addon loads, says its LibTorch, and every needed library is in the trace', () => {
  const { core, trace, libtorch } = loadCoreTraced();
  expect(core.features().libtorch.split('+')[0]).toBe('2.11.0');
  expect(libtorch.version.split('+')[0]).toBe('2.11.0');
  const opened = trace.filter((row) => row.ok).map((row) => basename(row.path));
  expect(opened).toContain('libc10.so');
  expect(opened.indexOf('libtorch_cpu.so')).toBeGreaterThan(opened.indexOf('libc10.so'));
});

test('loading twice gives the same core', () => {
  expect(loadCore()).toBe(loadCore());
});

test('a Worker loads the addon while the main thread holds it', async () => {
  loadCore();
  const script = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { loadCore } = await import(workerData);
    parentPort.postMessage(loadCore().features().libtorch);`;
  for (let round = 0; round < 3; round += 1) {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
      workerData: MODULE,
    });
    const answer = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    );
    expect(answer).toBe(loadCore().features().libtorch);
    await worker.terminate();
  }
});

test('a missing LibTorch is E_LIBTORCH with the command that mends it, on one line', () =>
  inFolder(async (folder) => {
    const said = await loadIn({ SPLITGROW_LIBTORCH: join(folder, 'none') });
    expect(said).toMatch(
      /^E_LIBTORCH: expected LibTorch 2\.11\.0, found none .*no such directory.*npx splitgrow setup$/,
    );
    expect(said).not.toContain('\n');
  }));

test('another version is E_LIBTORCH and is never opened', () =>
  inFolder(async (folder) => {
    const root = await fakeLibTorch(join(folder, 'torch'), '2.5.1');
    expect(await loadIn({ SPLITGROW_LIBTORCH: root })).toMatch(/^E_LIBTORCH: .*holds version 2\.5\.1/);
  }));

test('a LibTorch that does not open is E_LIBTORCH with the loader trace', () =>
  inFolder(async (folder) => {
    const root = await fakeLibTorch(join(folder, 'torch'), '2.11.0');
    const said = await loadIn({ SPLITGROW_LIBTORCH: root });
    expect(said).toMatch(
      /^E_LIBTORCH: LibTorch 2\.11\.0 in \S+ \(environment\) does not load \(.*libc10\.so failed: .*\); point SPLITGROW_LIBTORCH or LIBTORCH elsewhere, or unset it and run: npx splitgrow setup$/,
    );
    expect(said).not.toContain('\n');
    // One in the cache, found after a LIBTORCH that is gone, is fetched anew.
    const cache = join(folder, 'cache');
    await fakeLibTorch(join(cache, 'libtorch-2.11.0', 'torch'), '2.11.0');
    const env = {
      LIBTORCH: join(folder, 'gone'),
      SPLITGROW_LIBTORCH: '',
      SPLITGROW_CACHE: cache,
      PATH: '/none',
    };
    expect(await loadIn(env)).toMatch(
      /\(cache, passed over LIBTORCH: \S+gone: no such directory, python3: no PyTorch in it\) does not load \(.*\); run: npx splitgrow setup --force$/,
    );
  }));

test('a missing addon and a missing core are E_ADDON with the command that builds them', () =>
  inFolder(async (folder) => {
    expect(await loadIn({ SPLITGROW_ADDON: folder })).toMatch(
      /^E_ADDON: .*splitgrow\.node.* \(with LibTorch 2\.11\.0\S* in .*\); run: npx splitgrow build$/,
    );
    const loader = join(dirname(loadCoreTraced().addon), 'splitgrow.node');
    await copyFile(loader, join(folder, 'splitgrow.node'));
    expect(await loadIn({ SPLITGROW_ADDON: folder })).toMatch(
      /^E_ADDON: .*splitgrow_core\.so does not load.* \(with LibTorch 2\.11\.0\S* in .*: .*libtorch_cpu\.so ok.*\); run: npx splitgrow build$/,
    );
    await writeFile(join(folder, 'splitgrow_core.so'), 'not a library');
    expect(await loadIn({ SPLITGROW_ADDON: folder })).toMatch(/^E_ADDON: .*does not load/);
  }));
