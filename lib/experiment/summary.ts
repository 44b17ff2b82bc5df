// Stage records in the output folder, and the summary that follows from them.
import { join } from 'node:path';
import { writeDirectoryAtomic, writeFileAtomic } from '../atomic.js';
import { SplitgrowError } from '../errors.js';
import { type Network, writeNetworkFiles } from '../network.js';
import { readJsonFile } from '../text-file.js';
import type { RivalRecord, StageRecord, StageSummary, Summary } from './records.js';
import type { Spec } from './spec.js';

const FILE = 'stage.json';

function textOf(record: StageRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** output/stage-k */
export function stageDirectory(output: string, stage: number): string {
  return join(output, `stage-${stage}`);
}

/** Writes a stage's network directory with its record, as a whole. */
export async function writeStage(directory: string, network: Network, record: StageRecord): Promise<void> {
  const fill = async (temporary: string): Promise<void> => {
    await writeNetworkFiles(network, temporary);
    await writeFileAtomic(join(temporary, FILE), textOf(record));
  };
  await writeDirectoryAtomic(directory, fill, { others: 'keep' });
}

/** Replaces the record of a stage whose network is there. */
export async function writeStageRecord(directory: string, record: StageRecord): Promise<void> {
  await writeFileAtomic(join(directory, FILE), textOf(record));
}

/** The record of a stage, or null where there is none. */
export async function readStageRecord(directory: string): Promise<StageRecord | null> {
  const record = await readJsonFile(join(directory, FILE), {
    ...{ code: 'E_RESUME', remedy: 'put a copy of the file back' },
  });
  return (record ?? null) as StageRecord | null;
}

/** A stage's record and its network directory. */
export interface Kept {
  readonly record: StageRecord;
  readonly directory: string;
}

/** The records of stage 0 to `last`. @throws E_RESUME where one is missing */
export async function readStages(output: string, last: number): Promise<readonly Kept[]> {
  const stages: Kept[] = [];
  for (let stage = 0; stage <= last; stage += 1) {
    const directory = stageDirectory(output, stage);
    const record = await readStageRecord(directory);
    if (record === null) {
      throw new SplitgrowError(
        'E_RESUME',
        `${directory}: expected the record of a finished stage; remove the output folder and run again`,
      );
    }
    stages.push({ record, directory });
  }
  return stages;
}

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

export function grownStage({ record, directory }: Kept, isFromEarlier: boolean): GrownStage {
  return { ...stageSummary(record, directory), record, isFromEarlier };
}

/** The contract's summary document. */
export function summaryOf(spec: Spec, stages: readonly Kept[], rivals: readonly RivalRecord[] = []): Summary {
  return {
    name: spec.name,
    seed: spec.seed,
    stages: stages.map(({ record, directory }) => stageSummary(record, directory)),
    ...(rivals.length > 0 ? { compare: rivals } : {}),
  };
}

export async function writeSummary(output: string, summary: Summary): Promise<void> {
  await writeFileAtomic(join(output, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
}
