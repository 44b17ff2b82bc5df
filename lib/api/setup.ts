// setup, build and doctor: LibTorch, the addon and the machine, as the commands see to them.

import { type DoctorReport, doctor as examine } from '../machine/doctor/doctor.js';
import { type BuildProgress, type BuildResult, build as compile } from '../machine/libtorch/build.js';
import type { SetupProgress } from '../machine/libtorch/install.js';
import { setup as install, type SetupResult } from '../machine/libtorch/setup.js';
import { watched } from '../native/watched.js';

/** What `setup` is to do; everything is optional. */
export interface SetupCommandOptions {
  /** With the CUDA libraries, about 2.3 GiB. */
  readonly cuda?: boolean | undefined;
  /** A folder with include/ and lib/: checked, opened, and used from now on. */
  readonly libtorch?: string | undefined;
  /** Fetch into the cache, and use that, even where a usable LibTorch is found elsewhere. */
  readonly force?: boolean | undefined;
  /** Forget what an earlier set-up was told to use, before anything else. */
  readonly forget?: boolean | undefined;
}

/** How set-up is watched and stopped. */
export interface SetupControl {
  /** Aborting rejects with E_ABORTED; what was downloaded is kept for the next call. */
  readonly signal?: AbortSignal | undefined;
  /** Told now and then. */
  readonly onProgress?: ((progress: SetupProgress) => void) | undefined;
}

/** What `build` is to do; everything is optional. */
export interface BuildCommandOptions {
  /** Folder of a LibTorch of any release; default: the one that is found, of the pinned release. */
  readonly libtorch?: string | undefined;
  /** With the CUDA library, without a GPU too. */
  readonly cuda?: boolean | undefined;
  /** Folder for the addon, for SPLITGROW_ADDON; default: the package itself. */
  readonly out?: string | undefined;
}

/** How compiling is watched and stopped. */
export interface BuildControl {
  /** Aborting rejects with E_ABORTED; nothing is replaced. */
  readonly signal?: AbortSignal | undefined;
  /** Told for each phase, and for each file while files are compiled. */
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/**
 * Makes LibTorch available: nothing to do where one is found, else fetched into the cache, once for all processes.
 *
 * @throws E_MACHINE, E_LIBTORCH, E_DOWNLOAD, E_WRITE, E_ABORTED
 */
export async function setup(
  { cuda = false, libtorch, force = false, forget = false }: SetupCommandOptions = {},
  control: SetupControl = {},
): Promise<SetupResult> {
  return watched(control, ({ signal, onProgress = () => {} }) =>
    install({ cuda, libtorch, force, forget, signal, onProgress }),
  );
}

/**
 * Compiles the addon on this machine, tries it in a process of its own, and replaces the one before with it.
 *
 * @throws E_MACHINE, E_LIBTORCH, E_BUILD, E_WRITE, E_ABORTED
 */
export async function build(
  { libtorch, cuda = false, out }: BuildCommandOptions = {},
  control: BuildControl = {},
): Promise<BuildResult> {
  return watched(control, ({ signal, onProgress = () => {} }) =>
    compile({ libtorch, cuda, out, signal, onProgress }),
  );
}

/** What was found on this machine, what is missing, and what mends it. Whatever can crash or hang is tried in processes of their own. */
export async function doctor(): Promise<DoctorReport> {
  return examine();
}
