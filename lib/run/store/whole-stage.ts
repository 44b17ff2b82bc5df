// Whether the files of a finished stage are still what its record states; those that are not are put back where a copy of them is left.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { setAside, writeFileAtomic } from '../../machine/files/atomic.js';
import type { Digest } from '../../machine/files/digest.js';
import { FILES } from '../../train/network.js';
import { faultOf } from './record-files.js';
import { readStage, type StageFolder } from './summary.js';

/** Says what was found and done. */
type Tell = (text: string) => void;

/** Folders below an output in which a file of the same name may be the same: checkpoints, finished copies, best networks, rivals. */
async function foldersOf(output: string): Promise<readonly string[]> {
  const below = async (folder: string): Promise<readonly string[]> => {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  };
  const near = await below(output);
  return [...near, ...(await Promise.all(near.map(below))).flat()];
}

/** A file of the output that holds these very bytes, or null. */
async function copyOf(output: string, name: string, want: Digest): Promise<string | null> {
  for (const folder of await foldersOf(output)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => null);
    if (found?.isFile() === true && found.size === want.bytes && (await faultOf(file, want)) === null)
      return file;
  }
  return null;
}

/** What keeps a stage from being whole. */
export interface Fault {
  readonly file: string;
  readonly problem: string;
}

/**
 * The first file of a stage that is damaged or missing and of which the output holds no copy; null where all are whole, or are
 * so again. Of stages of older versions, which state no digests, only a missing file is seen.
 */
async function faultIn(output: string, { directory, files }: StageFolder, tell: Tell): Promise<Fault | null> {
  if (files === null) {
    for (const name of Object.values(FILES)) {
      const file = join(directory, name);
      if ((await stat(file).catch(() => null)) === null) return { file, problem: 'it is missing' };
    }
    return null;
  }
  for (const [name, want] of Object.entries(files)) {
    const file = join(directory, name);
    const problem = await faultOf(file, want);
    if (problem === null) continue;
    const copy = await copyOf(output, name, want);
    if (copy === null) return { file, problem };
    const aside = await setAside(file);
    await writeFileAtomic(file, await readFile(copy));
    const kept = aside === null ? '' : `; what was there is now ${aside}`;
    tell(`WARNING: ${file}: ${problem}; it is put back from ${copy}, which holds the same${kept}`);
  }
  return null;
}

/**
 * Refuses a finished stage whose files are not whole and cannot be put back from the output.
 *
 * @throws E_RESUME naming the file
 */
export async function refuseDamaged(output: string, kept: StageFolder, tell: Tell): Promise<void> {
  const fault = await faultIn(output, kept, tell);
  if (fault === null) return;
  throw new SplitgrowError(
    'E_RESUME',
    `${fault.file}: ${fault.problem}; no copy of it is in ${output}: put one back and run again, which goes on from the last checkpoint`,
  );
}

/**
 * The finished stage in `directory` where it is whole. Null where there is none, or where it is damaged and `canRedo`: then
 * what is damaged is set aside and told, for the stage is written anew from its checkpoint.
 *
 * @throws E_RESUME where it is damaged and cannot be written anew
 */
export async function wholeStage(
  output: string,
  directory: string,
  { canRedo, tell }: { readonly canRedo: boolean; readonly tell: Tell },
): Promise<StageFolder | null> {
  let kept: StageFolder | null;
  let fault: Fault | null = null;
  try {
    kept = await readStage(directory);
  } catch (error) {
    if (!canRedo || !(error instanceof SplitgrowError) || error.code !== 'E_RESUME') throw error;
    kept = null;
    fault = { file: join(directory, 'stage.json'), problem: error.message };
  }
  if (kept !== null && !canRedo) await refuseDamaged(output, kept, tell);
  if (kept !== null && canRedo) fault = await faultIn(output, kept, tell);
  if (fault === null) return kept;
  const aside = await setAside(fault.file);
  // Without its record it is no finished stage.
  if (kept !== null) await setAside(join(directory, 'stage.json'));
  const where = aside === null ? '' : `; what was there is now ${aside}`;
  tell(`WARNING: ${fault.file}: ${fault.problem}; the stage is written anew from its checkpoint${where}`);
  return null;
}
