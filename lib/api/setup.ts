// setup and doctor: LibTorch for this machine, and what was found on it.
import { type DoctorReport, doctor as examine } from '../machine/doctor/doctor.js';
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

/** What was found on this machine, what is missing, and how to mend it. Whatever can crash or hang is tried in a process of its own. */
export async function doctor(): Promise<DoctorReport> {
  return examine();
}
