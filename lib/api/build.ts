// build: the addon compiled on this machine.
import { type BuildProgress, type BuildResult, build as compile } from '../machine/libtorch/build.js';
import { watched } from '../native/watched.js';

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
