// doctor(): what was found on this machine, what is missing, and the command that mends it.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readRanks } from '../distributed/launchers.js';
import { isSplitgrowError } from '../errors.js';
import type { Features } from '../native.js';
import { cacheDirectory, type Environment, type LibTorch, locate } from './locate.js';
import { LIBTORCH_VERSION, RELEASES, REMEDIES } from './pinned.js';
import type { PreloadRow } from './preload.js';

const run = promisify(execFile);

export interface Finding {
  readonly name: string;
  /** A warning does not keep splitgrow from working. */
  readonly state: 'ok' | 'warning' | 'missing';
  readonly found: string;
  /** The command, or the change, that mends it. */
  readonly remedy?: string;
}

export interface DoctorReport {
  readonly isReady: boolean;
  readonly findings: readonly Finding[];
  readonly libtorch: LibTorch | null;
  readonly features: Features | null;
  readonly trace: readonly PreloadRow[];
}

const NODE_FLOOR = [20, 17] as const;
const GLIBC_FLOOR = [2, 28] as const;
const PROBE_TIMEOUT_MS = 60_000;
/** The part of /proc/cpuinfo's flags that changes speed. */
const CPU_FLAGS = ['avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_bf16'];

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

function node(): Finding {
  const found = process.versions.node;
  if (isAtLeast(found, NODE_FLOOR)) return { name: 'Node.js', state: 'ok', found };
  return {
    name: 'Node.js',
    state: 'missing',
    found,
    remedy: `install Node.js ${NODE_FLOOR.join('.')} or newer`,
  };
}

function platform(): Finding {
  const key = `${process.platform}-${process.arch}`;
  const found = `${key}, kernel ${release()}`;
  if (RELEASES[key]) return { name: 'platform', state: 'ok', found };
  return {
    name: 'platform',
    state: 'warning',
    found,
    remedy: `setup serves ${Object.keys(RELEASES).join(', ')}; elsewhere: python3 -m pip install torch==${LIBTORCH_VERSION}`,
  };
}

function glibc(): Finding {
  const report: unknown = process.report.getReport();
  const header = (report as { header?: { glibcVersionRuntime?: string } }).header;
  const found = header?.glibcVersionRuntime;
  if (found && isAtLeast(found, GLIBC_FLOOR)) return { name: 'glibc', state: 'ok', found };
  return {
    name: 'glibc',
    state: 'missing',
    found: found ?? 'none',
    remedy: `use a system with glibc ${GLIBC_FLOOR.join('.')} or newer`,
  };
}

function cpu(): Finding {
  const text = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const model = /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? process.arch;
  const flags = new Set(/^flags\s*:\s*(.+)$/m.exec(text)?.[1]?.split(' '));
  const has = CPU_FLAGS.filter((flag) => flags.has(flag));
  const found = `${model}, ${availableParallelism()} threads${has.length > 0 ? `, ${has.join(' ')}` : ''}`;
  if (process.arch !== 'x64' || flags.has('avx2')) return { name: 'CPU', state: 'ok', found };
  return { name: 'CPU', state: 'warning', found, remedy: 'without AVX2 everything is slower' };
}

function disk(env: Environment, isSetUp: boolean): Finding {
  const cache = cacheDirectory(env);
  let folder = cache;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const pinned = RELEASES[`${process.platform}-${process.arch}`];
  const needed = pinned ? pinned.unpackedBytes + 2 * pinned.wheels.reduce((sum, w) => sum + w.bytes, 0) : 0;
  const found = `${cache}, ${(free / 1e9).toFixed(1)} GB free`;
  if (isSetUp || free >= needed) return { name: 'cache', state: 'ok', found };
  const remedy = `free ${(needed / 1e9).toFixed(1)} GB, or set SPLITGROW_CACHE to a larger place`;
  return { name: 'cache', state: 'missing', found, remedy };
}

async function command(name: string, parameters: readonly string[], remedy: string): Promise<Finding> {
  const label = parameters.includes('pip') ? 'pip' : name;
  try {
    const { stdout } = await run(name, [...parameters], { timeout: PROBE_TIMEOUT_MS });
    return { name: label, state: 'ok', found: stdout.trim().split(' from ')[0] ?? '' };
  } catch {
    return { name: label, state: 'warning', found: 'none; setup needs it', remedy };
  }
}

interface Probe {
  readonly features: Features;
  readonly addon: string;
  readonly trace: readonly PreloadRow[];
}

/** Loads the addon in a process of its own, so that a crash of native code is a finding too. */
async function probeAddon(env: Environment): Promise<Probe | string> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const native = join(root, 'dist', 'native.js');
  if (!existsSync(native)) return `${native} is missing`;
  const script = `
    import { pathToFileURL } from 'node:url';
    const { loadCoreTraced } = await import(pathToFileURL(process.argv[1]).href);
    try {
      const { core, addon, trace } = loadCoreTraced();
      console.log(JSON.stringify({ features: core.features(), addon, trace }));
    } catch (error) {
      console.log(JSON.stringify(String(error.message)));
    }`;
  try {
    const parameters = ['--input-type=module', '--eval', script, native];
    const { stdout } = await run(process.execPath, parameters, {
      env: { ...env },
      timeout: PROBE_TIMEOUT_MS,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '""');
  } catch (error) {
    return `loading it ended its process: ${error instanceof Error ? error.message.split('\n').at(-1) : String(error)}`;
  }
}

function libtorchFinding(found: LibTorch | null, tried: readonly string[]): Finding {
  if (found) {
    return { name: 'LibTorch', state: 'ok', found: `${found.version} in ${found.root} (${found.source})` };
  }
  return { name: 'LibTorch', state: 'missing', found: tried.join('; '), remedy: REMEDIES.setup };
}

function addonFinding(probe: Probe | string): Finding {
  if (typeof probe === 'string')
    return { name: 'addon', state: 'missing', found: probe, remedy: REMEDIES.build };
  const { cpuCapability, threads } = probe.features;
  return { name: 'addon', state: 'ok', found: `${probe.addon} (${cpuCapability}, ${threads} threads)` };
}

const NO_ACCELERATOR = { accelerator: 'none', acceleratorFault: '' };

function cudaFinding(probe: Probe | string): Finding {
  const hasGpu = existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0');
  const row =
    typeof probe === 'string' ? undefined : probe.trace.find((r) => r.path.endsWith('libtorch_cuda.so'));
  const devices = typeof probe === 'string' ? 0 : probe.features.cudaDevices;
  if (devices > 0) {
    const { accelerator, acceleratorFault } = typeof probe === 'string' ? NO_ACCELERATOR : probe.features;
    const found = `${devices} devices, accelerator ${accelerator}`;
    if (acceleratorFault === '') return { name: 'CUDA', state: 'ok', found };
    return {
      name: 'CUDA',
      state: 'warning',
      found: `${found}: ${acceleratorFault}`,
      remedy: REMEDIES.buildCuda,
    };
  }
  if (!hasGpu) return { name: 'CUDA', state: 'ok', found: 'no NVIDIA GPU; everything runs on the CPU' };
  return {
    name: 'CUDA',
    state: 'warning',
    found: `a GPU is there, but ${row ? row.error || 'no device can be used' : 'LibTorch has no libtorch_cuda.so'}`,
    remedy: `python3 -m pip install torch==${LIBTORCH_VERSION}`,
  };
}

/** Which rank a command started here would be. */
function ranksFinding(env: Environment): Finding {
  const name = 'ranks';
  try {
    const ranks = readRanks(env);
    if (ranks === null) return { name, state: 'ok', found: 'one process' };
    const { rank, world, launcher, host, port } = ranks;
    return {
      name,
      state: 'ok',
      found: `rank ${rank} of ${world} by ${launcher}, meeting at ${host}:${port}`,
    };
  } catch (error) {
    if (!isSplitgrowError(error)) throw error;
    return {
      name,
      state: 'warning',
      found: 'impossible environment variables',
      remedy: error.message,
    };
  }
}

/** Looks at everything that splitgrow needs; changes nothing. */
export async function doctor(env: Environment = process.env): Promise<DoctorReport> {
  const { found, tried } = locate(env);
  const probe = found ? await probeAddon(env) : 'not tried: it needs LibTorch';
  const addon = addonFinding(probe);
  const findings = [
    node(),
    platform(),
    glibc(),
    cpu(),
    disk(env, found !== null),
    await command('python3', ['--version'], 'sudo apt-get install python3'),
    await command('python3', ['-m', 'pip', '--version'], 'sudo apt-get install python3-pip'),
    libtorchFinding(found, tried),
    found ? addon : { ...addon, remedy: REMEDIES.setup },
    cudaFinding(probe),
    ranksFinding(env),
  ];
  return {
    isReady: findings.every((finding) => finding.state !== 'missing'),
    findings,
    libtorch: found,
    features: typeof probe === 'string' ? null : probe.features,
    trace: typeof probe === 'string' ? [] : probe.trace,
  };
}
