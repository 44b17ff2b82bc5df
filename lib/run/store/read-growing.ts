// A run that still grows, read from its stage records and its metrics: what the live view shows.
import { join, resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { readMetrics } from './metrics.js';
import { type RecordedRun, readDataNote, readFormat, readJson } from './read.js';
import type { CompareRecord, StageRecord } from './records.js';
import { stageDirectory, stageSummary } from './summary.js';

interface Named {
  readonly name?: unknown;
  readonly seed?: unknown;
}

/** The records of the finished stages, from 0 on. It mends no folder, because the run may be replacing it. */
export async function readGrowingStages(directory: string): Promise<readonly StageRecord[]> {
  const stages: StageRecord[] = [];
  for (;;) {
    const file = join(stageDirectory(directory, stages.length), 'stage.json');
    const record = await readFormat<StageRecord>(file, 'splitgrow-stage/1');
    if (record === null) return stages;
    stages.push(record);
  }
}

/** The records so far of the run in `directory`. @throws E_FILE where none has begun */
export async function readGrowingRun(directory: string): Promise<RecordedRun> {
  const experiment = (await readJson(join(directory, 'experiment.json'))) as Named | null;
  if (experiment === null) {
    throw new SplitgrowError(
      'E_FILE',
      `${join(directory, 'experiment.json')}: expected the experiment of a run that has begun`,
    );
  }
  const stages = await readGrowingStages(directory);
  const stage = stages.length;
  const epochs = (await readMetrics(directory)).flatMap((line) =>
    line.type === 'epoch' && line.stage === stage ? [line] : [],
  );
  const isOver = (stages.at(-1)?.ended ?? null) !== null;
  return {
    directory,
    summary: {
      name: String(experiment.name ?? ''),
      seed: Number(experiment.seed ?? 0),
      stages: stages.map((record) => stageSummary(record, resolve(stageDirectory(directory, record.stage)))),
    },
    stages,
    compare: await readFormat<CompareRecord>(join(directory, 'compare.json'), 'splitgrow-compare/1'),
    experiment,
    dataNote: await readDataNote(directory),
    underWay: isOver ? null : { stage, epochs },
  };
}
