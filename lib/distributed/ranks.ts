// Joining the other ranks of a data-parallel run, and the folder of a rank that keeps nothing.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSplitgrowError, reasonOf } from '../errors.js';
import { type Ranks, readRanks, wholeOf } from '../machine/launchers.js';
import { loadCore } from '../native/load.js';
import { sentByFirst, valueOfFirst } from './agree.js';
import { refuseOtherExperiment } from './compared.js';
import { inRankFolder } from './rank-folder.js';

/** Seconds that a rank waits for the others before it gives up. */
const TIMEOUT = 'SPLITGROW_RANK_TIMEOUT';
const DEFAULT_TIMEOUT = 600;
/** Gradients are summed in stretches of so many bytes; 0: all of them after the backward pass. */
const BUCKET = 'SPLITGROW_BUCKET_BYTES';
const DEFAULT_BUCKET = 4 << 20;
/** What other ranks do not get of an output folder: locks with all in them, folders of writers, and the report. */
const UNSENT = /\.lock$|^\.splitgrow-|^report\.html$/;

function setting(name: string, otherwise: number, min: number): number {
  if (process.env[name] === undefined) return otherwise;
  return wholeOf(process.env, name, { min, max: 1e6 * 1024, why: 'of a run with several ranks' });
}

async function joinRanks({ rank, world, localRank, host, port, isServer, attempt }: Ranks): Promise<void> {
  const core = loadCore();
  const bucketBytes = setting(BUCKET, DEFAULT_BUCKET, 0);
  await core.joinGroup({
    ...{ rank, world, localRank, host, port, isServer, bucketBytes },
    prefix: attempt,
    settings: `LibTorch ${core.features().libtorch.split('+')[0]}, ${BUCKET}=${bucketBytes}`,
    timeoutMs: setting(TIMEOUT, DEFAULT_TIMEOUT, 1) * 1000,
  });
}

/** What this rank tells the others when it fails. It tells nothing when it fails because another rank did. */
function endReason(error: unknown): string {
  if (isSplitgrowError(error)) return error.code === 'E_DISTRIBUTED' ? '' : `${error.code}: ${error.message}`;
  return reasonOf(error);
}

/** Runs `work` as one of the ranks, and tells it whether this rank writes. Without ranks it runs `work` alone. */
export async function asRank<T>(work: (isWriter: boolean) => Promise<T>): Promise<T> {
  const ranks = readRanks();
  if (ranks === null) return work(true);
  await joinRanks(ranks);
  let reason = '';
  try {
    return await work(ranks.rank === 0);
  } catch (error) {
    reason = endReason(error);
    throw error;
  } finally {
    await loadCore().leaveGroup(reason);
  }
}

/** Files below a folder, by paths within it; none where there is no folder. */
async function filesBelow(folder: string, within = ''): Promise<readonly string[]> {
  const entries = await readdir(join(folder, within), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(within, entry.name);
    if (UNSENT.test(entry.name)) continue;
    if (entry.isDirectory()) files.push(...(await filesBelow(folder, path)));
    else if (entry.isFile()) files.push(path);
  }
  return files;
}

/** Rank 0's folder in `copy` on the other ranks: they need no disk in common. */
async function spread(folder: string, copy: string | null): Promise<void> {
  const files = await valueOfFirst(copy === null ? await filesBelow(folder) : []);
  for (const file of files) {
    const bytes = await sentByFirst(copy === null ? await readFile(join(folder, file)) : null);
    if (copy === null) continue;
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await writeFile(join(copy, file), bytes);
  }
}

/**
 * Runs an experiment as one of the ranks, where all have the same command and the same `compared` fields. All ranks take the same decisions
 * from the same sums; rank 0 alone writes to `output`. Each other one works in
 * a temporary folder, which begins as what rank 0 finds in `output` and is
 * removed at the end.
 */
export async function withRankOutput<S extends { readonly output: string }, T>(
  { command, spec, compared }: { readonly command: string; readonly spec: S; readonly compared: object },
  run: (spec: S) => Promise<T>,
): Promise<T> {
  if (readRanks() === null) return run(spec);
  return asRank(async (isWriter) => {
    await refuseOtherExperiment(command, compared);
    if (!isWriter)
      return inRankFolder(async (copy) => {
        await spread(spec.output, copy);
        return run({ ...spec, output: copy });
      });
    await spread(spec.output, null);
    return run(spec);
  });
}
