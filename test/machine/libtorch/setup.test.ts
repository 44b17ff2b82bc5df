// setup(): fetched whole by pip's settings or not at all, gone on with after a cut, a kill and a full disk; what is chosen.
import { execFile, spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { installDirectory, wheelDirectory } from '../../../lib/machine/libtorch/cache.js';
import { releaseHere } from '../../../lib/machine/libtorch/install.js';
import { setup } from '../../../lib/machine/libtorch/setup.js';
import { failureOf, inFolder, ROOT } from '../../data/places.js';
import { cleanEnv, type Index, type MadeUp, madeUpRelease, offline, serveIndex } from './made-up-wheels.js';

const run = promisify(execFile);
type Env = Record<string, string | undefined>;

const FEATURES = { cudaDevices: 0 } as never;
/** Stands in for opening, which made-up libraries would not survive. */
const opens = async () => ({ features: FEATURES, addon: '', trace: [], jpegFault: '' });

async function withWheels(
  work: (place: MadeUp & { readonly root: string; readonly env: Env }) => Promise<void>,
): Promise<void> {
  await inFolder(async (root) => {
    const made = await madeUpRelease(root);
    await work({ ...made, root, env: cleanEnv(root, offline(made.folder)) });
  });
}

async function withIndex(
  work: (
    place: MadeUp & { readonly root: string; readonly env: Env; readonly index: Index },
  ) => Promise<void>,
): Promise<void> {
  await withWheels(async (place) => {
    const index = await serveIndex(place.folder);
    try {
      await work({ ...place, index, env: cleanEnv(place.root, { PIP_INDEX_URL: index.url }) });
    } finally {
      index.close();
    }
  });
}

/** Starts setup in a process of its own; resolves to what it says. */
function inProcess(release: unknown, env: Env, shell = 'exec "$0" "$@"') {
  const script = `
    const { setup } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'setup.js')).href)});
    const open = async () => ({ features: {}, addon: '', trace: [], jpegFault: '' });
    try {
      console.log(JSON.stringify(await setup({ release: JSON.parse(process.argv[1]), open })));
    } catch (error) {
      console.log(error.code + ': ' + error.message);
    }`;
  const parameters = [
    '-c',
    shell,
    process.execPath,
    '--input-type=module',
    '--eval',
    script,
    JSON.stringify(release),
  ];
  return { parameters, env: env as Record<string, string> };
}

async function says(release: unknown, env: Env, shell?: string): Promise<string> {
  const { parameters, env: where } = inProcess(release, env, shell);
  return (await run('bash', parameters, { env: where })).stdout.trim();
}

test('wheels of a folder that pip is told of are unpacked as far as they are kept, and then removed', () =>
  withWheels(async ({ env, release }) => {
    const phases: string[] = [];
    const {
      libtorch,
      isNew,
      opens: isOpen,
    } = await setup({
      env,
      release,
      open: opens,
      onProgress: ({ phase, done, total }) => {
        expect(done).toBeLessThanOrEqual(total);
        if (phases.at(-1) !== phase) phases.push(phase);
      },
    });
    const target = installDirectory(env);
    expect(libtorch).toEqual({ root: join(target, 'torch'), version: '2.11.0+cu130', source: 'cache' });
    expect([isNew, isOpen]).toEqual([true, true]);
    expect(phases).toEqual(['download', 'verify', 'unpack', 'open']);
    const names = (await readdir(target, { recursive: true })).sort();
    const files = names.filter((name) => statSync(join(target, name)).isFile());
    expect(files).toEqual([
      'nvidia/cu13/lib/libcudart.so.13',
      'torch/include/torch/script.h',
      'torch/lib/libc10.so',
      'torch/lib/libtorch_cpu.so',
      'torch/version.py',
    ]);
    expect(await readdir(join(target, '..'))).toEqual(['libtorch-2.11.0']);
    const again = await setup({ env, release, open: opens });
    expect([again.isNew, again.libtorch.source]).toEqual([false, 'cache']);
  }));

test('a wheel of other bytes or another size is refused and thrown away, and nothing is installed', () =>
  withWheels(async ({ env, release, folder }) => {
    const [torch] = release.wheels;
    const file = join(folder, torch?.file ?? '');
    const right = await readFile(file);
    const wrong = Buffer.from(right);
    wrong[100] = (wrong[100] ?? 0) ^ 1;
    await writeFile(file, wrong);
    expect(await failureOf(setup({ env, release, open: opens }))).toMatch(
      /^E_LIBTORCH: torch-.* has SHA-256 \w{64}, not the pinned \w{64}; nothing was installed; check pip's index/,
    );
    await writeFile(file, right.subarray(0, 1000));
    expect(await failureOf(setup({ env, release, open: opens }))).toMatch(
      /has 1000 bytes, expected \d+; nothing/,
    );
    expect(existsSync(installDirectory(env))).toBe(false);
    await writeFile(file, right);
    expect((await setup({ env, release, open: opens })).isNew).toBe(true);
  }));

test('a wheel that the index does not have is named', () =>
  withWheels(async ({ env, release, folder }) => {
    await rm(join(folder, release.wheels[1]?.file ?? ''));
    expect(await failureOf(setup({ env, release, open: opens }))).toMatch(
      /^E_LIBTORCH: LibTorch could not be downloaded: pip's index has no nvidia_made_up-1.0-py3-none-any.whl; check pip's index settings/,
    );
  }));

test('a connection that is cut is gone on with by a range', () =>
  withIndex(async ({ env, release, index }) => {
    index.limit(500_000, 'cut');
    await setup({ env, release, open: opens });
    const [torch, range, other] = index.files();
    expect([torch, other]).toEqual(['torch', 'nvidia_made_up']);
    // What came is between nothing and what was sent.
    const start = Number(/^torch bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    expect(start).toBeGreaterThan(0);
    expect(start).toBeLessThanOrEqual(500_000);
  }));

test('after kill -9 the next set-up goes on: whole wheels are not asked for again, a part is gone on with', () =>
  withIndex(async ({ env, release, index }) => {
    // The smaller wheel gets through, the larger one, which comes last, falls silent in its middle.
    const swapped = { ...release, wheels: [...release.wheels].reverse() };
    index.limit(1_200_000, 'stall');
    const { parameters, env: where } = inProcess(swapped, env);
    const child = spawn('bash', parameters, { env: where, stdio: 'ignore' });
    const part = join(wheelDirectory(env), `${swapped.wheels[1]?.file}.part`);
    while (!existsSync(part) || statSync(part).size < 500_000) await sleep(20);
    const gone = new Promise((done) => child.once('close', done));
    child.kill('SIGKILL');
    await gone;
    expect(index.files()).toEqual(['nvidia_made_up', 'torch']);
    index.unlimit();
    const { isNew } = await setup({ env, release: swapped, open: opens });
    expect(isNew).toBe(true);
    const asked = index.files().slice(2);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/^torch bytes=\d{6,7}-$/);
    // Neither lock nor part nor work folder is left.
    expect(await readdir(join(installDirectory(env), '..'))).toEqual(['libtorch-2.11.0']);
  }));

test('an abort ends the download, installs nothing, and keeps what came', () =>
  withIndex(async ({ env, release, index }) => {
    index.limit(500_000, 'stall');
    const control = new AbortController();
    const failure = failureOf(
      setup({
        env,
        release,
        open: opens,
        signal: control.signal,
        onProgress: ({ done }) => done > 0 && control.abort(),
      }),
    );
    expect(await failure).toMatch(
      /^E_ABORTED: setup was aborted; nothing was installed; what was downloaded is kept/,
    );
    expect(await readdir(join(installDirectory(env), '..'))).toEqual(['.splitgrow-wheels']);
    expect(statSync(join(wheelDirectory(env), `${release.wheels[0]?.file}.part`)).size).toBeGreaterThan(0);
  }));

test('two processes at once download each wheel once, and both end with the same LibTorch', () =>
  withIndex(async ({ env, release, index }) => {
    const answers = await Promise.all([says(release, env), says(release, env)]);
    const states = answers.map(
      (answer) => JSON.parse(answer) as { isNew: boolean; libtorch: { root: string } },
    );
    expect(states.map(({ isNew }) => isNew).sort()).toEqual([false, true]);
    expect(new Set(states.map(({ libtorch }) => libtorch.root))).toEqual(
      new Set([join(installDirectory(env), 'torch')]),
    );
    expect(index.files()).toEqual(['torch', 'nvidia_made_up']);
  }));

test('a full disk is E_WRITE with what helps; what came is kept, and the next set-up goes on', () =>
  withIndex(async ({ env, release, index }) => {
    // A limit on the size of a file fails a write as a full disk does: 2 MiB, of 3.
    const said = await says(release, env, 'ulimit -f 2048; exec "$0" "$@"');
    expect(said).toMatch(
      /^E_WRITE: a wheel could not be written: .*file too large.*; what was downloaded is kept; free some/,
    );
    expect(existsSync(installDirectory(env))).toBe(false);
    await setup({ env, release, open: opens });
    expect(index.files().filter((file) => file.startsWith('torch'))[1]).toMatch(/^torch bytes=2\d{6}-$/);
  }));

test('too little room is told before anything is downloaded', () =>
  withWheels(async ({ env, release }) => {
    const failure = await failureOf(
      setup({ env, release: { ...release, unpackedBytes: 1e18 }, open: opens }),
    );
    expect(failure).toMatch(
      /^E_WRITE: .* MB free, expected 1000000000\d+ MB; free some, or set SPLITGROW_CACHE/,
    );
    expect(existsSync(wheelDirectory(env))).toBe(false);
  }));

test("pip's proxy is asked for an index that only it can reach", () =>
  withIndex(async ({ root, release, index }) => {
    const { origin } = new URL(index.url);
    const env = cleanEnv(root, { PIP_INDEX_URL: 'http://no-such-host.invalid/simple/', http_proxy: origin });
    const trusted = { ...env, PIP_TRUSTED_HOST: 'no-such-host.invalid' };
    await setup({ env: trusted, release, open: opens });
    expect(index.asked.map(({ url }) => url)).toContain('http://no-such-host.invalid/simple/torch/');
  }));

test('without python3, and with a python3 without pip, the variables of pip say where the index is', () =>
  withIndex(async ({ root, env, release }) => {
    const bin = join(root, 'bin');
    await mkdir(bin);
    const without = { ...env, PATH: `${bin}` };
    expect((await setup({ env: without, release, open: opens })).isNew).toBe(true);
    const script = '#!/bin/sh\necho "ImportError: No module named pip" >&2\nexit 1\n';
    await writeFile(join(bin, 'python3'), script, { mode: 0o755 });
    expect((await setup({ env: without, release, open: opens, force: true })).isNew).toBe(true);
  }));

test('an index that cannot be reached is told with its reason', () =>
  withWheels(async ({ root, release }) => {
    const env = cleanEnv(root, { PIP_INDEX_URL: 'http://127.0.0.1:9/simple' });
    expect(await failureOf(setup({ env, release, open: opens }))).toMatch(
      /^E_LIBTORCH: LibTorch could not be downloaded: http:\/\/127\.0\.0\.1:9\/simple\/torch\/: .*; what was downloaded is kept; check the network/,
    );
  }));

test('a machine without a pinned release is told so', () => {
  for (const isCuda of [false, true])
    expect(() => releaseHere(isCuda, 'linux-riscv64')).toThrow(/no LibTorch is pinned for linux-riscv64/);
});

test('the CUDA release is the CPU release and more, and no file twice', () => {
  const [cpu, cuda] = [releaseHere(false, 'linux-x64'), releaseHere(true, 'linux-x64')];
  expect(cuda.wheels.map(({ file }) => file)).toEqual(
    expect.arrayContaining(cpu.wheels.map(({ file }) => file)),
  );
  expect(new Set(cuda.wheels.map(({ sha256 }) => sha256)).size).toBe(cuda.wheels.length);
  for (const { file } of cuda.wheels) expect(file).toMatch(/-manylinux[^-]*_x86_64\.whl$/);
});
