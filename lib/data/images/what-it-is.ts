// Says what a file is that is no JPEG, PNG or store, if its first bytes tell.
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { otherKindOf } from '../../machine/files/file-kind.js';
import type { ImageProblem } from '../../native/face.js';

/** How many files are looked at. The others keep the decoder's reason. */
const MOST = 1_000;

/**
 * Problems of a scan, each with what the file is where it is neither a JPEG nor a PNG. `paths` lie below `root`; `shown` are
 * their names in messages.
 */
export async function withKinds(
  problems: readonly ImageProblem[],
  root: string,
  paths: readonly string[],
  shown: readonly string[] = paths,
): Promise<readonly ImageProblem[]> {
  return Promise.all(
    problems.map(async ({ index, reason }, at) => {
      const path = join(root, paths[index] ?? '');
      const kind = at < MOST ? await otherKindOf(path, 'image', shown[index] ?? '') : null;
      return { index, reason: kind ?? reason };
    }),
  );
}

/** Opens a store by `work`. If the file is no store, the E_DATA says what it is. */
export async function openingStore<T>(store: string, open: () => T): Promise<T> {
  try {
    return open();
  } catch (error) {
    const isOther = error instanceof SplitgrowError && error.code === 'E_DATA';
    const kind = isOther ? await otherKindOf(store, 'store') : null;
    if (kind === null) throw error;
    throw new SplitgrowError(
      'E_DATA',
      `${store}: expected a store made by \`splitgrow data pack\`; ${kind}`,
      { cause: error },
    );
  }
}
