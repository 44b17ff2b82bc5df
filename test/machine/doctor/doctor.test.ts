// doctor(): what it finds, what is missing, and that a driver or library that crashes or hangs is a finding.
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { doctor } from '../../../lib/machine/doctor/doctor.js';
import type { Finding } from '../../../lib/machine/doctor/finding.js';
import { type Driver, gpuFindings, readDriver } from '../../../lib/machine/doctor/gpu.js';
import { quotaOf, readProcessor } from '../../../lib/machine/doctor/hardware.js';
import type { Opened } from '../../../lib/machine/libtorch/trial.js';
import { inFolder, ROOT } from '../../data/places.js';

const run = promisify(execFile);

async function program(folder: string, name: string, script: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${folder}:/usr/bin:/bin`;
}

/** A LibTorch whose first library runs this statement when it is opened. */
async function rigged(root: string, statement: string): Promise<string> {
  await mkdir(join(root, 'lib'), { recursive: true });
  await mkdir(join(root, 'include'));
  await writeFile(join(root, 'version.py'), "__version__ = '2.11.0'\n");
  const code = `#include <stdlib.h>\n#include <unistd.h>\n__attribute__((constructor)) static void open(void) { ${statement}; }\n`;
  for (const [name, input] of [
    ['libc10', code],
    ['libtorch_cpu', ''],
  ] as const) {
    const parameters = ['-shared', '-fPIC', '-x', 'c', '-', '-o', join(root, 'lib', `${name}.so`)];
    expect(spawnSync('cc', parameters, { input, encoding: 'utf8' }).stderr).toBe('');
  }
  return root;
}

function row(findings: readonly Finding[], name: string): Finding {
  const found = findings.find((finding) => finding.name === name);
  if (found === undefined) throw new Error(`no row ${name}`);
  return found;
}

test('a LibTorch that aborts or hangs when it is opened is told, with the signal or the time', () =>
  inFolder(async (folder) => {
    for (const [name, statement, timeoutMs, why] of [
      ['aborts', 'abort()', 100_000, /opening it in a process of its own: it died of SIGABRT/],
      ['hangs', 'sleep(3000)', 4_000, /it hung: no answer in 4 s/],
    ] as const) {
      const root = await rigged(join(folder, name), statement);
      const env = { ...process.env, SPLITGROW_LIBTORCH: root };
      const { isReady, findings } = await doctor({ env, timeoutMs });
      expect(isReady).toBe(false);
      expect(row(findings, 'LibTorch')).toMatchObject({
        state: 'missing',
        found: expect.stringMatching(why),
      });
      expect(row(findings, 'addon').state).toBe('missing');
    }
  }));

test('this machine has what the tests need, and every row that is not ok says what to do', async () => {
  const { findings, isReady, libtorch, features, trace } = await doctor();
  expect(findings.filter(({ state }) => state === 'missing')).toEqual([]);
  expect(isReady).toBe(true);
  expect(libtorch?.version).toMatch(/^2\.11\.0/);
  expect(features?.threads).toBeGreaterThan(0);
  expect(trace.some(({ path, ok }) => path.endsWith('libtorch_cpu.so') && ok)).toBe(true);
  for (const { state, remedy } of findings) expect(remedy === undefined).toBe(state === 'ok');
  const names = findings.map(({ name }) => name);
  for (const name of [
    'Node.js',
    'platform',
    'CPU',
    'memory',
    'cache',
    'working folder',
    'python3',
    'pip',
    'GPU',
  ])
    expect(names).toContain(name);
  expect(row(findings, 'JPEG library')).toMatchObject({ state: 'ok' });
  expect(row(findings, 'addon').found).toMatch(/compiled here|prebuilt/);
});

const SMI = `case "$1" in --query*) echo "NVIDIA Made-Up 1, 81559, 9.0, 580.65.06"; echo "NVIDIA Made-Up 2, 24564, 8.9, 580.65.06";;
*) echo "| NVIDIA-SMI 580.65.06    Driver Version: 580.65.06    CUDA Version: 13.0     |";; esac`;

test('nvidia-smi names GPUs, driver and its CUDA; where it crashes or hangs, that is the fault', () =>
  inFolder(async (folder) => {
    const path = await program(join(folder, 'good'), 'nvidia-smi', SMI);
    expect(await readDriver({ PATH: path })).toEqual({
      gpus: [
        { name: 'NVIDIA Made-Up 1', memory: 81559, capability: '9.0' },
        { name: 'NVIDIA Made-Up 2', memory: 24564, capability: '8.9' },
      ],
      version: '580.65.06',
      cuda: '13.0',
      fault: '',
    });
    const dead = await program(join(folder, 'dead'), 'nvidia-smi', 'kill -SEGV $$');
    expect((await readDriver({ PATH: dead }))?.fault).toBe('nvidia-smi: it died of SIGSEGV');
    const hung = await program(join(folder, 'hung'), 'nvidia-smi', 'sleep 30');
    expect((await readDriver({ PATH: hung }, 300))?.fault).toBe('nvidia-smi: it hung: no answer in 0.3 s');
  }));

const GPU = { name: 'Made-Up', memory: 8192, capability: '8.6' };
const DRIVER: Driver = { gpus: [GPU], version: '580.65.06', cuda: '13.0', fault: '' };

test('driver, GPU and CUDA libraries are judged together, each with what helps', () =>
  inFolder(async (folder) => {
    await mkdir(join(folder, 'lib'));
    await writeFile(join(folder, 'version.py'), "__version__ = '2.11.0'\ncuda: Optional[str] = '13.0'\n");
    const cpu = { root: folder, version: '2.11.0', source: 'cache' } as const;
    const opened = (cudaDevices: number, error = ''): Opened => ({
      features: { cudaDevices, accelerator: 'cuda', acceleratorFault: '' } as Opened['features'],
      addon: '',
      trace: [{ path: join(folder, 'lib', 'libtorch_cuda.so'), ok: error === '', error, wasOpen: false }],
      jpegFault: '',
    });
    const runtime = (driver: Driver | null, result: Opened | null) =>
      row(gpuFindings(driver, cpu, result), 'CUDA runtime');
    expect(runtime(null, opened(0)).state).toBe('ok');
    expect(runtime(DRIVER, opened(0))).toMatchObject({
      state: 'warning',
      remedy: 'npx splitgrow setup --cuda',
    });
    await writeFile(join(folder, 'lib', 'libtorch_cuda.so'), '');
    expect(runtime(DRIVER, opened(1))).toEqual({
      name: 'CUDA runtime',
      state: 'ok',
      found: 'CUDA 13.0, 1 device, accelerator cuda',
    });
    expect(runtime(DRIVER, opened(0)).found).toMatch(/finds no device/);
    expect(runtime(null, opened(0)).state).toBe('ok');
    expect(runtime(DRIVER, opened(0, 'libnccl.so.2: no such file')).found).toMatch(/does not open: libnccl/);
    expect(runtime(DRIVER, null).state).toBe('warning');

    const rows = (change: Partial<Driver>) => gpuFindings({ ...DRIVER, ...change }, cpu, opened(1));
    expect(row(rows({}), 'GPU').found).toBe('Made-Up, 8.0 GiB, compute capability 8.6');
    expect(row(rows({}), 'NVIDIA driver')).toMatchObject({
      state: 'ok',
      found: '580.65.06, for CUDA up to 13.0',
    });
    expect(row(rows({ version: '535.104.05' }), 'NVIDIA driver').remedy).toMatch(/driver 580 or newer/);
    expect(row(rows({ gpus: [{ ...GPU, capability: '7.0' }] }), 'GPU').remedy).toMatch(/7\.5 or more/);
    expect(row(rows({ fault: 'nvidia-smi: it died of SIGSEGV' }), 'GPU').state).toBe('warning');
    expect(row(gpuFindings(null, null, null), 'GPU')).toMatchObject({ state: 'ok' });
  }));

test('cores are counted over packages, features are those that change speed, quotas those of a container', () => {
  const processor = (physical: number, core: number) =>
    `processor\t: 0\nmodel name\t: Made-Up 9\nphysical id\t: ${physical}\ncore id\t\t: ${core}\nflags\t\t: fpu avx2 fma avx512f amx_tile amx_bf16 avx512_bf16\n\n`;
  const text = [processor(0, 0), processor(0, 0), processor(0, 1), processor(1, 0)].join('');
  expect(readProcessor(text)).toEqual({
    model: 'Made-Up 9',
    cores: 3,
    features: ['avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_tile', 'amx_bf16'],
  });
  expect(readProcessor('')).toEqual({ model: process.arch, cores: 0, features: [] });
  expect([quotaOf('max 100000\n'), quotaOf('150000 100000\n'), quotaOf('')]).toEqual([null, 1.5, null]);
});

test('the command ends with 0 where all is there and 1 where something is missing, and names the command', () =>
  inFolder(async (folder) => {
    const main = join(ROOT, 'dist', 'cli', 'main.js');
    const whole = await run(process.execPath, [main, 'doctor', '--json']);
    expect(JSON.parse(whole.stdout)).toMatchObject({ isReady: true, tried: expect.any(Array) });
    const env = { ...process.env, SPLITGROW_LIBTORCH: join(folder, 'none'), NO_COLOR: '1' };
    const { code, stdout } = await run(process.execPath, [main, 'doctor'], { env }).catch((error) => error);
    expect(code).toBe(1);
    expect(stdout).toMatch(/LibTorch +missing +none \(SPLITGROW_LIBTORCH: .*no such directory\)/);
    expect(stdout).toMatch(/To do:\n(.*\n)* {2}LibTorch: npx splitgrow setup/);
  }));
