// listData(): the known datasets, where each was looked for, and which files are there, judged by size.
import type { Environment } from '../../machine/environment.js';
import { type FileState, sizesIn } from './checksum.js';
import { dataDirectory, defaultRoot, placesIn, remedyFor } from './places.js';
import { type DataSource, SOURCES } from './sources.js';

/** A dataset that splitgrow knows. */
export interface ListedData {
  /** Its name. */
  readonly name: string;
  /** Whether it is there. */
  readonly state: 'whole' | 'partial' | 'missing';
  /** Where the files are, or would be put. */
  readonly directory: string;
  /** Every folder that was looked at. */
  readonly looked: readonly string[];
  /** Its files. */
  readonly files: readonly FileState[];
  /** The command that fetches what is missing; null where nothing is. */
  readonly remedy: string | null;
}

/** What `data list` prints. */
export interface ListDataDocument {
  /** Holds one folder for each dataset. */
  readonly directory: string;
  /** Every dataset that splitgrow knows. */
  readonly datasets: readonly ListedData[];
}

async function listed(source: DataSource, env: Environment): Promise<ListedData> {
  const looked = placesIn(defaultRoot(source.name, env), source);
  const found = await Promise.all(
    looked.map(async (directory) => {
      const files = await sizesIn(directory, source);
      return { directory, files, there: files.filter(({ state }) => state === 'there').length };
    }),
  );
  // The folder with the most files; of several, the first.
  const best = found.reduce((one, other) => (other.there > one.there ? other : one));
  const isMissing = best.files.every(({ state }) => state === 'missing');
  const state = best.there === best.files.length ? 'whole' : isMissing ? 'missing' : 'partial';
  return {
    name: source.name,
    state,
    directory: best.directory,
    looked,
    files: best.files,
    remedy: state === 'whole' ? null : remedyFor(source.name),
  };
}

/** Sizes are compared; `getData` compares checksums too. */
export async function listData(
  control: { readonly env?: Environment; readonly sources?: readonly DataSource[] } = {},
): Promise<ListDataDocument> {
  const env = control.env ?? process.env;
  const sources = control.sources ?? SOURCES;
  return {
    directory: dataDirectory(env),
    datasets: await Promise.all(sources.map((source) => listed(source, env))),
  };
}
