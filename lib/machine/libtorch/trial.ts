// Opens a LibTorch, and the core on top of it, in another process.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../environment.js';
import { type RunOptions, run } from '../process/run.js';
import type { PreloadRow } from './preload.js';

/** What the native core can do on this machine. */
export interface Features {
  /** Version of the LibTorch that is opened, as it says it itself. */
  readonly libtorch: string;
  /** Version of the LibTorch that the addon was compiled for. */
  readonly compiledFor: string;
  /** CPU threads that it computes with. */
  readonly threads: number;
  /** Whether LibTorch has its CUDA half and a GPU is there. */
  readonly cuda: boolean;
  /** GPUs that it sees. */
  readonly cudaDevices: number;
  /** Instruction set that LibTorch's own kernels use, for example AVX2. */
  readonly cpuCapability: string;
  /** Instruction set of the CPU engine: avx512, avx2 or baseline; empty where SPLITGROW_ENGINE=0 switches it off. */
  readonly engine: string;
  /** The optional library of fused kernels that is loaded (`cuda`), or `none`. */
  readonly accelerator: string;
  /** Why there is none; empty where there is one. */
  readonly acceleratorFault: string;
  /** Whether each device multiplies bfloat16 in hardware: CPUs by AVX512-BF16 or AMX, GPUs from compute capability 8.0 on. */
  readonly bfloat16: {
    /** The CPU does. */
    readonly cpu: boolean;
    /** The GPU does. */
    readonly cuda: boolean;
    /** Instruction set of the CPU engine's loops for it: avx512_bf16; empty where LibTorch has all of bfloat16. */
    readonly engine: string;
  };
}

export interface Opened {
  readonly features: Features;
  /** Path of the core library. */
  readonly addon: string;
  /** What was opened, in order. */
  readonly trace: readonly PreloadRow[];
  /** Empty where the JPEG library opens. */
  readonly jpegFault: string;
}

/** How long opening may take, and what ends it. */
export type TrialOptions = Pick<RunOptions, 'timeoutMs' | 'signal'>;

/** A driver that hangs takes longer. */
const TIMEOUT_MS = 60_000;

/** Why it did not open, with the error's code where there is one. */
export interface NotOpened {
  readonly code: string | null;
  readonly why: string;
}

const NATIVE = fileURLToPath(new URL('../../../dist/native/load.js', import.meta.url));
const JPEG = fileURLToPath(new URL('../../../dist/machine/libtorch/jpeg.js', import.meta.url));

const SCRIPT = `
import { pathToFileURL } from 'node:url';
const answer = (value) => process.stdout.write('\\n' + JSON.stringify(value) + '\\n');
try {
  const { loadCoreTraced } = await import(pathToFileURL(process.argv[1]).href);
  const { core, addon, trace } = loadCoreTraced();
  let jpegFault = '';
  try {
    const { openJpeg } = await import(pathToFileURL(process.argv[2]).href);
    openJpeg((path) => core.openJpeg(path));
  } catch (error) {
    jpegFault = String(error.message);
  }
  answer({ features: core.features(), addon, trace, jpegFault });
} catch (error) {
  answer({ code: typeof error.code === 'string' ? error.code : null, why: String(error.message) });
}`;

export function isOpened(result: Opened | NotOpened): result is Opened {
  return 'features' in result;
}

/** Opens what `env` names. A crash, a signal or a hang of native code is an answer too. */
export async function tryToOpen(env: Environment, options: TrialOptions = {}): Promise<Opened | NotOpened> {
  if (!existsSync(NATIVE)) return { code: null, why: `${NATIVE} is missing` };
  const parameters = ['--input-type=module', '--eval', SCRIPT, NATIVE, JPEG];
  const { fault, output } = await run(process.execPath, parameters, {
    timeoutMs: TIMEOUT_MS,
    ...options,
    env,
  });
  if (fault !== null) return { code: null, why: `opening it in a process of its own: ${fault}` };
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Opened | NotOpened;
}

/** As tryToOpen, for one LibTorch. */
export function tryLibTorch(
  root: string,
  env: Environment,
  options: TrialOptions = {},
): Promise<Opened | NotOpened> {
  return tryToOpen({ ...env, SPLITGROW_LIBTORCH: root }, options);
}

/** The row of libtorch_cuda, where there is one. */
export function cudaRow(trace: readonly PreloadRow[]): PreloadRow | undefined {
  return trace.find(({ path }) => path.endsWith('/libtorch_cuda.so'));
}
