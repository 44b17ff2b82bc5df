// Stage records in the output folder, and the summary that follows from them.
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { writeDirectoryAtomic, writeFileAtomic } from '../../machine/files/atomic.js';
import { readJsonFile } from '../../machine/files/text-file.js';
import { runCompute } from '../../train/compute.js';
import { FILES, type Network, writeNetworkFiles } from '../../train/network.js';
import type { Spec } from '../spec/spec.js';
import { digestsOf, type FileDigests, sealed, unsealed } from './record-files.js';
import type { BestRecord, RivalRecord, StageRecord, StageSummary, Summary } from './records.js';

const FILE = 'stage.json';
const FORMAT = 'splitgrow-stage/1';

/** output/stage-k */
export function stageDirectory(output: string, stage: number): string {
  return join(output, `stage-${stage}`);
}

/** Writes a stage's network directory with its record, as a whole. */
export async function writeStage(directory: string, network: Network, record: StageRecord): Promise<void> {
  const fill = async (temporary: string): Promise<void> => {
    await writeNetworkFiles(network, temporary);
    const files = await digestsOf(temporary, Object.values(FILES));
    await writeFileAtomic(join(temporary, FILE), sealed(record, files));
  };
  await writeDirectoryAtomic(directory, fill, { others: 'keep' });
}

/** Replaces the record of a stage whose network is there; what it states of the network's files stays. */
export async function writeStageRecord(directory: string, record: StageRecord): Promise<void> {
  const before = await readStage(directory);
  await writeFileAtomic(join(directory, FILE), sealed(record, before?.files ?? null));
}

/** Writes the first record of a directory whose network was just written. */
export async function writeFirstRecord(directory: string, record: StageRecord): Promise<void> {
  const files = await digestsOf(directory, Object.values(FILES));
  await writeFileAtomic(join(directory, FILE), sealed(record, files));
}

/** A stage's record and its network directory. */
export interface StageFolder {
  readonly record: StageRecord;
  readonly directory: string;
  /** What the network's files held when they were written; null for stages of older versions. */
  readonly files: FileDigests | null;
}

const RESTORE = 'put a copy of the file back';

/** The stage in a directory, or null where there is none. @throws E_RESUME where its record is damaged, E_FILE */
export async function readStage(directory: string): Promise<StageFolder | null> {
  const file = join(directory, FILE);
  const json = await readJsonFile(file, { code: 'E_RESUME', remedy: RESTORE });
  if (json === undefined) return null;
  const found = unsealed(json);
  if (found === null || found.record.format !== FORMAT) {
    const problem = found === null ? 'its checksum is wrong' : `expected the record of a stage, ${FORMAT}`;
    throw new SplitgrowError('E_RESUME', `${file}: ${problem}: it was changed or damaged; ${RESTORE}`);
  }
  return { record: found.record as unknown as StageRecord, directory, files: found.files };
}

/** The record of a stage, or null where there is none. @throws as `readStage` */
export async function readStageRecord(directory: string): Promise<StageRecord | null> {
  return (await readStage(directory))?.record ?? null;
}

/** The records of stage 0 to `last`. @throws E_RESUME where one is missing */
export async function readStages(output: string, last: number): Promise<readonly StageFolder[]> {
  const stages: StageFolder[] = [];
  for (let stage = 0; stage <= last; stage += 1) {
    const directory = stageDirectory(output, stage);
    const kept = await readStage(directory);
    if (kept === null) {
      throw new SplitgrowError(
        'E_RESUME',
        `${join(directory, FILE)}: expected the record of a finished stage, found none; put a copy of the folder back and run again`,
      );
    }
    stages.push(kept);
  }
  return stages;
}

/** What is said of a stage. */
type Stage = Pick<StageFolder, 'record' | 'directory'>;

/** What summary.json says of a stage. */
export function stageSummary(record: StageRecord, directory: string): StageSummary {
  const { stage, macs, params, flops2x, costs, evaluation, widths, split, seconds } = record;
  const { top1, top5, loss } = evaluation;
  return {
    ...{ stage, directory, macs, params, ...(flops2x !== undefined && { flops2x }), ...(costs && { costs }) },
    ...{ top1, top5, loss, widths, split: split?.neurons ?? {}, seconds },
  };
}

/** A finished stage as an iteration over a growth run gives it. */
export interface GrownStage extends StageSummary {
  /**
   * All that stage.json holds when the stage's network is there: `split` is null, for the network is not split yet. Of stages
   * that an earlier call split it is as that left it.
   */
  readonly record: StageRecord;
  /** True where an earlier call left this stage finished. */
  readonly isFromEarlier: boolean;
}

export function grownStage({ record, directory }: Stage, isFromEarlier: boolean): GrownStage {
  return { ...stageSummary(record, directory), record, isFromEarlier };
}

/** What a run hands over. */
export interface Delivered {
  /** Of the last stage; null where the run hands over its stages as they are. */
  readonly best: BestRecord | null;
  /** Of every stage, where that is asked for. */
  readonly delivered: readonly BestRecord[];
}

export const NOTHING: Delivered = { best: null, delivered: [] };

interface SummaryParts {
  readonly rivals?: readonly RivalRecord[];
  readonly delivered?: Delivered;
}

/** The contract's summary document. */
export function summaryOf(
  spec: Spec,
  stages: readonly Stage[],
  { rivals = [], delivered = NOTHING }: SummaryParts = {},
): Summary {
  const grown = stages.length === 0 ? null : runCompute(stages, stages.length - 1);
  const { best, delivered: ofStages } = delivered;
  return {
    name: spec.name,
    seed: spec.seed,
    stages: stages.map(({ record, directory }, at) => {
      const compute = runCompute(stages, at);
      return { ...stageSummary(record, directory), ...(compute !== null && { compute }) };
    }),
    ...(grown !== null && { compute: { grown, retrained: best?.compute.retrained ?? null } }),
    ...(best !== null && { best }),
    ...(ofStages.length > 0 && { delivered: ofStages }),
    ...(rivals.length > 0 && { compare: rivals }),
  };
}

export async function writeSummary(output: string, summary: Summary): Promise<void> {
  await writeFileAtomic(join(output, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
}
