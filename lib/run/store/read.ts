// What a run left in its output folder, read back for the report and the final table.
import { basename, join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { readJsonFile } from '../../machine/files/text-file.js';
import { unsealed } from './record-files.js';
import type { CompareRecord, EpochRecord, StageRecord, Summary } from './records.js';

/** A stage that is being fitted. */
export interface UnderWay {
  readonly stage: number;
  /** The epochs that are done. */
  readonly epochs: readonly EpochRecord[];
}

export interface RecordedRun {
  readonly directory: string;
  readonly summary: Summary;
  /** The record of every stage, in order. */
  readonly stages: readonly StageRecord[];
  readonly compare: CompareRecord | null;
  /** The experiment as it was run, or null where none was kept. */
  readonly experiment: unknown;
  /** What a reader should know about the images: a part of a set, or a test part that was split off. */
  readonly dataNote?: string | null;
  /** Null or absent where the run has ended. */
  readonly underWay?: UnderWay | null;
}

/** The JSON in `file`, or null where there is no such file. @throws E_FILE */
export async function readJson(file: string): Promise<unknown> {
  return (await readJsonFile(file, { code: 'E_FILE' })) ?? null;
}

/** Likewise, of one format. */
export async function readFormat<T extends { readonly format: string }>(
  file: string,
  format: T['format'],
): Promise<T | null> {
  const found = await readJson(file);
  if (found === null) return null;
  const json = unsealed(found)?.record as T | undefined;
  if (json === undefined) {
    throw new SplitgrowError(
      'E_FILE',
      `${file}: its checksum is wrong: it was changed or damaged; put a copy of the file back`,
    );
  }
  if (json.format !== format) {
    throw new SplitgrowError(
      'E_FILE',
      `${file}: expected format ${format}, got ${JSON.stringify(json.format) ?? 'none'}`,
    );
  }
  return json;
}

/** What run.json says of the images, or null. */
export async function readDataNote(directory: string): Promise<string | null> {
  const run = (await readJson(join(directory, 'run.json'))) as { readonly data?: unknown } | null;
  return typeof run?.data === 'string' ? run.data : null;
}

/** Reads the records of a growth run. @throws E_FILE where there is none */
export async function readRun(directory: string): Promise<RecordedRun> {
  const summary = (await readJson(join(directory, 'summary.json'))) as Summary | null;
  if (summary === null || !Array.isArray(summary.stages)) {
    throw new SplitgrowError(
      'E_FILE',
      `${join(directory, 'summary.json')}: expected the summary of a run; run \`splitgrow grow\` first`,
    );
  }
  const stages: StageRecord[] = [];
  for (const stage of summary.stages) {
    const folder = join(directory, basename(stage.directory));
    const record = await readFormat<StageRecord>(join(folder, 'stage.json'), 'splitgrow-stage/1');
    if (record !== null) stages.push(record);
  }
  return {
    directory,
    summary,
    stages,
    compare: await readFormat<CompareRecord>(join(directory, 'compare.json'), 'splitgrow-compare/1'),
    experiment: await readJson(join(directory, 'experiment.json')),
    dataNote: await readDataNote(directory),
  };
}
