// Opens LibTorch's libraries through the thin loader, so that the core finds every symbol it needs.
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { SplitgrowError } from '../errors.js';
import { loaderPath } from './addon.js';
import { type LibTorch, preloadOrder, requireLibTorch } from './locate.js';
import { requireMachine } from './machine.js';
import { REMEDIES } from './pinned.js';

/** One library opened by the loader. */
export interface PreloadRow {
  readonly path: string;
  readonly ok: boolean;
  readonly error: string;
}

export interface Preloaded {
  readonly libtorch: LibTorch;
  /** Path of the core library, which is to be opened next. */
  readonly addon: string;
  /** What was opened, in order; a failure of libtorch_cuda is not fatal and stays here. */
  readonly trace: readonly PreloadRow[];
}

type Preload = (paths: readonly string[]) => PreloadRow[];

const CORE_FILE = 'splitgrow_core.so';
const require = createRequire(import.meta.url);

/** An error's message on one line, at most `limit` characters. */
export function brief(error: unknown, limit = 400): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, limit);
}

/** The trace as one line: what opened, and the reason of what did not. */
export function traceText(trace: readonly PreloadRow[]): string {
  return trace
    .map((row) => `${basename(row.path)} ${row.ok ? 'ok' : `failed: ${brief(row.error)}`}`)
    .join(', ');
}

function openLoader(path: string): Preload {
  let exports: { preload?: unknown };
  try {
    exports = require(path);
  } catch (error) {
    throw new SplitgrowError('E_ADDON', `${path} does not load: ${brief(error)}; run: ${REMEDIES.build}`, {
      cause: error,
    });
  }
  if (typeof exports.preload === 'function') return exports.preload as Preload;
  throw new SplitgrowError('E_ADDON', `${path} is no loader of splitgrow; run: ${REMEDIES.build}`);
}

/** Finds LibTorch and the addon and opens LibTorch for the whole process. Throws E_MACHINE, E_LIBTORCH or E_ADDON. */
export function preloadLibTorch(): Preloaded {
  requireMachine();
  const libtorch = requireLibTorch();
  const loader = loaderPath();
  const order = preloadOrder(libtorch);
  const trace = openLoader(loader)(order.map((library) => library.path));
  if (order.every((library, i) => !library.isNeeded || trace[i]?.ok === true)) {
    return { libtorch, addon: join(dirname(loader), CORE_FILE), trace };
  }
  throw new SplitgrowError(
    'E_LIBTORCH',
    `LibTorch in ${libtorch.root} does not load (${traceText(trace)}); run: ${REMEDIES.setup}`,
  );
}
