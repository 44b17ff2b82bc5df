// Opens the addon, once in each thread of JavaScript. Nothing else loads it.
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { SplitgrowError } from '../errors.js';
import { releaseOf } from '../machine/libtorch/addon.js';
import { openJpeg } from '../machine/libtorch/jpeg.js';
import { REMEDIES } from '../machine/libtorch/pinned.js';
import { brief, type Preloaded, placeText, preloadLibTorch, traceText } from '../machine/libtorch/preload.js';
import { wrap } from './errors.js';
import type { Core } from './face.js';
import { threadsHere } from './threads.js';

export interface LoadedCore extends Preloaded {
  readonly core: Core;
}

function load(): LoadedCore {
  const preloaded = preloadLibTorch();
  const module: { exports: Record<string, unknown> } = { exports: {} };
  try {
    process.dlopen(module, preloaded.addon, constants.dlopen.RTLD_NOW);
  } catch (error) {
    throw new SplitgrowError(
      'E_ADDON',
      `${preloaded.addon} does not load: ${brief(error)} (with ${placeText(preloaded)}: ${traceText(preloaded.trace)}); run: ${REMEDIES.build}`,
      { cause: error },
    );
  }
  const { useThreads, exiting } = module.exports;
  if (isMainThread && typeof exiting === 'function') process.once('exit', () => exiting());
  const core = wrap(module.exports, () => {
    if (typeof useThreads === 'function') useThreads(threadsHere());
  }) as unknown as Core;
  const version =
    typeof core.features === 'function' ? (core.features().compiledFor ?? 'unknown') : 'unknown';
  const opened = preloaded.libtorch.version;
  if (releaseOf(version) === releaseOf(opened)) return { ...preloaded, core };
  throw new SplitgrowError(
    'E_ADDON',
    `${preloaded.addon} was compiled for LibTorch ${version}, and ${opened} is opened (${placeText(preloaded)}); run: ${REMEDIES.build}`,
  );
}

// One per environment: every Worker has its own copy of this module.
let loaded: LoadedCore | null = null;

/** The core where it has been loaded by this thread, else null; loads nothing. */
export function loadedCore(): Core | null {
  return loaded?.core ?? null;
}

/** The core with what was opened to load it. */
export function loadCoreTraced(): LoadedCore {
  loaded ??= load();
  return loaded;
}

/** The native core, loaded on first use. Throws E_MACHINE, E_LIBTORCH or E_ADDON with what mends it. */
export function loadCore(): Core {
  return loadCoreTraced().core;
}

/** The native core with the JPEG decoder opened: call it before anything of ImageCore. Throws E_IMAGES. */
export function loadImageCore(): Core {
  const core = loadCore();
  openJpeg((path) => core.openJpeg(path));
  return core;
}
