// doctor's rows on GPUs: what nvidia-smi says, and what LibTorch can use of it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../environment.js';
import { hasCuda, type LibTorch } from '../libtorch/locate.js';
import { REMEDIES } from '../libtorch/pinned.js';
import { cudaRow, type Opened } from '../libtorch/trial.js';
import { run } from '../process/run.js';
import { isAtLeast } from '../requirements.js';
import { type Finding, ok, warning } from './finding.js';

/** A GPU. */
export interface Gpu {
  /** Its name. */
  readonly name: string;
  /** In MiB. */
  readonly memory: number;
  /** major.minor */
  readonly capability: string;
}

/** The NVIDIA driver, as its own tools tell it. */
export interface Driver {
  /** The GPUs that it drives. */
  readonly gpus: readonly Gpu[];
  /** Version of the driver; null where it is not known. */
  readonly version: string | null;
  /** The newest CUDA that the driver can run; null where it is not known. */
  readonly cuda: string | null;
  /** Empty where nothing went wrong. */
  readonly fault: string;
}

/** CUDA 13 needs this driver or a newer one, and a GPU of the Turing generation or newer. */
const DRIVER_FLOOR = '580';
const CAPABILITY_FLOOR = '7.5';
const QUERY = 'name,memory.total,compute_cap,driver_version';
const TIMEOUT_MS = 20_000;
const KERNEL = '/proc/driver/nvidia';
const NO_GPU = 'none; everything runs on the CPU';

function ofKernel(): Driver | null {
  if (!existsSync(KERNEL) && !existsSync('/dev/nvidia0')) return null;
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const folder = join(KERNEL, 'gpus');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const gpus = names.map((name) => ({
    name: /^Model:\s*(.+)$/m.exec(read(join(folder, name, 'information')))?.[1] ?? 'NVIDIA GPU',
    memory: Number.NaN,
    capability: '',
  }));
  return {
    gpus,
    version: /\s(\d+\.\d+(\.\d+)?)\s/.exec(read(join(KERNEL, 'version')))?.[1] ?? null,
    cuda: null,
    fault: '',
  };
}

/** Reads what nvidia-smi prints for QUERY: one line for each GPU. */
export function readGpus(output: string): { readonly gpus: readonly Gpu[]; readonly version: string | null } {
  const rows = output
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => cells.length === 4);
  return {
    gpus: rows.map(([name = '', memory = '', capability = '']) => ({
      name,
      memory: Number(memory),
      capability,
    })),
    version: rows[0]?.[3] ?? null,
  };
}

/** The driver and its GPUs; null where there is neither. A driver that crashes or hangs is reported in `fault`. */
export async function readDriver(env: Environment, timeoutMs = TIMEOUT_MS): Promise<Driver | null> {
  const kernel = ofKernel();
  const options = { env, timeoutMs };
  const query = await run('nvidia-smi', [`--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'], options);
  if (query.fault !== null) {
    if (query.isAbsent) return kernel && { ...kernel, fault: 'nvidia-smi is not on PATH' };
    return { ...(kernel ?? { gpus: [], version: null, cuda: null }), fault: `nvidia-smi: ${query.fault}` };
  }
  const { gpus, version } = readGpus(query.output);
  const banner = await run('nvidia-smi', [], options);
  const cuda = banner.fault === null ? (/CUDA Version:\s*(\d+\.\d+)/.exec(banner.output)?.[1] ?? null) : null;
  return gpus.length === 0 && kernel === null ? null : { gpus, version, cuda, fault: '' };
}

function gpuFinding(driver: Driver | null): Finding {
  const name = 'GPU';
  if (driver === null) return ok(name, NO_GPU);
  const list = driver.gpus.map(({ name: model, memory, capability }) =>
    [
      model,
      Number.isFinite(memory) ? `${(memory / 1024).toFixed(1)} GiB` : '',
      capability === '' ? '' : `compute capability ${capability}`,
    ]
      .filter((part) => part !== '')
      .join(', '),
  );
  const found = list.join('; ') || 'one that the driver does not name';
  if (driver.fault !== '')
    return warning(
      name,
      `${found}; ${driver.fault}`,
      'restart the machine, or install the NVIDIA driver anew',
    );
  const old = driver.gpus.find(
    ({ capability }) => capability !== '' && !isAtLeast(capability, CAPABILITY_FLOOR),
  );
  if (old === undefined) return ok(name, found);
  return warning(
    name,
    found,
    `LibTorch's CUDA 13 needs compute capability ${CAPABILITY_FLOOR} or more: use --device cpu`,
  );
}

function driverFinding({ version, cuda }: Driver): Finding {
  const name = 'NVIDIA driver';
  const found = `${version ?? 'unknown version'}${cuda === null ? '' : `, for CUDA up to ${cuda}`}`;
  if (version === null || isAtLeast(version, DRIVER_FLOOR)) return ok(name, found);
  return warning(name, found, `install NVIDIA driver ${DRIVER_FLOOR} or newer, which CUDA 13 needs`);
}

/** The CUDA release that LibTorch was made with, from its version.py. */
export function cudaOf(root: string): string | null {
  const file = join(root, 'version.py');
  if (!existsSync(file)) return null;
  return /^cuda\b.*=\s*'([\d.]+)'/m.exec(readFileSync(file, 'utf8'))?.[1] ?? null;
}

function runtimeFinding(driver: Driver | null, libtorch: LibTorch | null, opened: Opened | null): Finding {
  const name = 'CUDA runtime';
  if (libtorch === null || !hasCuda(libtorch.root)) {
    if (driver === null) return ok(name, 'none, and no GPU that would need it');
    return warning(name, 'LibTorch has no libtorch_cuda.so', REMEDIES.setupCuda);
  }
  const release = `CUDA ${cudaOf(libtorch.root) ?? 'of unknown version'}`;
  if (opened === null) return warning(name, `${release}, not tried: LibTorch does not open`, REMEDIES.setup);
  const row = cudaRow(opened.trace);
  if (row && !row.ok)
    return warning(name, `${release}, libtorch_cuda.so does not open: ${row.error}`, REMEDIES.setupCuda);
  const { cudaDevices, accelerator, acceleratorFault } = opened.features;
  if (cudaDevices === 0) {
    if (driver === null) return ok(name, `${release}, opens; no GPU`);
    const remedy = `check the driver, and CUDA_VISIBLE_DEVICES: nvidia-smi`;
    return warning(name, `${release}, opens, but finds no device it can use`, remedy);
  }
  const found = `${release}, ${cudaDevices} device${cudaDevices === 1 ? '' : 's'}, accelerator ${accelerator}`;
  if (acceleratorFault === '') return ok(name, found);
  return warning(name, `${found}: ${acceleratorFault}`, REMEDIES.buildCuda);
}

/** The rows on GPU, driver and CUDA. `opened`: what opening LibTorch here gave, or null where it did not open. */
export function gpuFindings(
  driver: Driver | null,
  libtorch: LibTorch | null,
  opened: Opened | null,
): readonly Finding[] {
  return [
    gpuFinding(driver),
    ...(driver === null ? [] : [driverFinding(driver)]),
    runtimeFinding(driver, libtorch, opened),
  ];
}
