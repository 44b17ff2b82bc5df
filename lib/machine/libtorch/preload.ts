// Opens LibTorch's libraries through the thin loader, so that the core finds every symbol it needs.

import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { reasonOf, SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { requireMachine } from '../requirements.js';
import { refuseNoFolder } from '../system-errors.js';
import { loaderPath } from './addon.js';
import { type LibTorch, preloadOrder, requireLocated } from './locate.js';
import { REMEDIES } from './pinned.js';

/** One library opened by the loader. */
export interface PreloadRow {
  /** Path, or a name left to the system's search. */
  readonly path: string;
  /** Whether it opened. */
  readonly ok: boolean;
  /** Why not; empty where it did. */
  readonly error: string;
  /** Whether the process held a library of this name before; then that one is in use. */
  readonly wasOpen: boolean;
}

export interface Preloaded {
  readonly libtorch: LibTorch;
  /** Places that come before it and hold none, with the reason. */
  readonly passedOver: readonly string[];
  /** Path of the core library, which is to be opened next. */
  readonly addon: string;
  /** What was opened, in order; a failure of libtorch_cuda is not fatal and stays here. */
  readonly trace: readonly PreloadRow[];
}

type Preload = (paths: readonly string[], variables: Readonly<Record<string, string>>) => PreloadRow[];

const CORE_FILE = 'splitgrow_core.so';
const require = createRequire(import.meta.url);

/** An error's message on one line, at most `limit` characters. */
export function brief(error: unknown, limit = 400): string {
  const text = reasonOf(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, limit);
}

/** The trace as one line: what opened, and the reason of what did not. */
export function traceText(trace: readonly PreloadRow[]): string {
  return trace
    .map((row) => `${basename(row.path)} ${row.ok ? 'ok' : `failed: ${brief(row.error)}`}`)
    .join(', ');
}

/** For messages: which LibTorch is used, and which places before it have none. */
export function placeText({ libtorch, passedOver }: Pick<Preloaded, 'libtorch' | 'passedOver'>): string {
  const { version, root, source } = libtorch;
  const others = passedOver.length > 0 ? `, passed over ${passedOver.join(', ')}` : '';
  return `LibTorch ${version} in ${root} (${source}${others})`;
}

/**
 * How often a waiting thread looks again before it sleeps. 5,000 times take about ten microseconds. By default libgomp looks
 * 300,000 times, which takes milliseconds. Beside other work, that keeps the processor busy, and the thread that is waited for
 * cannot run.
 */
export const SPIN_COUNT = '5000';

/** Variables that say how OpenMP's threads wait. Where one of them is set, the user has decided. */
export const WAITING_VARIABLES = ['GOMP_SPINCOUNT', 'OMP_WAIT_POLICY'] as const;

/** Variables that must be in the environment when libgomp is opened: it reads them only then. */
export function waitingVariables(env: Environment): Readonly<Record<string, string>> {
  return WAITING_VARIABLES.some((name) => env[name] !== undefined) ? {} : { GOMP_SPINCOUNT: SPIN_COUNT };
}

function openLoader(path: string, place: string): Preload {
  const tail = `(with ${place}); run: ${REMEDIES.build}`;
  let exports: { preload?: unknown };
  try {
    exports = require(path);
  } catch (error) {
    throw new SplitgrowError('E_ADDON', `${path} does not load: ${brief(error)} ${tail}`, { cause: error });
  }
  if (typeof exports.preload === 'function') return exports.preload as Preload;
  throw new SplitgrowError('E_ADDON', `${path} is no loader of splitgrow ${tail}`);
}

/** What helps where a LibTorch that was found does not open. */
function remedyFor({ source }: LibTorch): string {
  if (source !== 'environment') return `run: ${REMEDIES.setupForce}`;
  return `point SPLITGROW_LIBTORCH or LIBTORCH elsewhere, or unset it and run: ${REMEDIES.setup}`;
}

/**
 * Finds LibTorch and the addon, and opens LibTorch for the whole process.
 * @throws E_MACHINE, E_LIBTORCH, E_ADDON, or E_FILE where there is no working folder
 */
export function preloadLibTorch(): Preloaded {
  requireMachine();
  // Without a working folder, Intel's MKL in LibTorch would end the process.
  refuseNoFolder();
  const { found: libtorch, tried: passedOver } = requireLocated();
  const place = placeText({ libtorch, passedOver });
  const loader = loaderPath();
  const order = preloadOrder(libtorch);
  const paths = order.map((library) => library.path);
  const trace = openLoader(loader, place)(paths, waitingVariables(process.env));
  if (order.every((library, i) => !library.isNeeded || trace[i]?.ok === true)) {
    return { libtorch, passedOver, addon: join(dirname(loader), CORE_FILE), trace };
  }
  throw new SplitgrowError(
    'E_LIBTORCH',
    `${place} does not load (${traceText(trace)}); ${remedyFor(libtorch)}`,
  );
}
