// A run's folder stands for a network wherever one is expected: for what the run hands over, else for its last stage.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The graph's file, by which a network directory is known. */
export const GRAPH_FILE = 'network.json';

/** What a run hands over, below its folder. */
export const BEST_FOLDER = 'best';

const STAGE = /^stage-(\d+)$/;

const hasNetwork = (directory: string): Promise<boolean> =>
  stat(join(directory, GRAPH_FILE)).then(
    (found) => found.isFile(),
    () => false,
  );

/**
 * The network directory that a path means: the path itself where it holds a network; of a run's folder `best`, else its last
 * stage. Any other path is given back as it is, for the reader to refuse.
 */
export async function networkFolder(path: string): Promise<string> {
  if (await hasNetwork(path)) return path;
  const best = join(path, BEST_FOLDER);
  if (await hasNetwork(best)) return best;
  const names = await readdir(path).catch((): string[] => []);
  const stages = names.flatMap((name) => STAGE.exec(name)?.[1] ?? []).map(Number);
  for (const stage of stages.sort((a, b) => b - a)) {
    const directory = join(path, `stage-${stage}`);
    if (await hasNetwork(directory)) return directory;
  }
  return path;
}
