// Rivals of a grown network, trained by its recipe; compare.json.
import type { Dataset } from '../data/dataset.js';
import { countOf } from '../data/part.js';
import type { Graph } from '../graph/ir.js';
import type { RunControl } from '../native/events.js';
import { type Field, grownEpochs, type Job, type Target } from '../rivals/contest.js';
import { type RivalRecord, rivalRecord } from '../rivals/record.js';
import { RIVALS, trainRivals } from '../rivals/table.js';
import { runCompute } from '../train/compute.js';
import { type CompareEntry, optionsOf } from './spec/compare.js';
import { epochsBehind } from './spec/epochs.js';
import type { Spec } from './spec/spec.js';
import { fitCompute, withCompute } from './stage/compute.js';
import { mergeRivals, readCompare, writeCompare } from './store/compare-file.js';
import type { CompareRecord } from './store/records.js';
import type { Delivered, StageFolder } from './store/summary.js';
import { trainRival } from './train-rival.js';

interface Grown {
  readonly data: Dataset;
  /** The seed network's graph. */
  readonly start: Graph;
  readonly stages: readonly StageFolder[];
  /** What the run hands over. */
  readonly delivered: Delivered;
}

type Held = Pick<Grown, 'stages' | 'delivered'>;

/** Multiply-adds that a rival gets for the network of a stage, where each method gets the same: all that the run spent up to it, and on
 * the training from scratch by which that network is delivered. */
function computeBehind({ stages, delivered }: Held, stage: number): number | null {
  const grown = runCompute(stages, stage);
  const handed = [...delivered.delivered, delivered.best].find((one) => one?.stage === stage);
  return grown === null ? null : grown + (handed?.compute.retrained ?? 0);
}

/** What an entry's rivals are held against, in order of MACs. */
function targetsOf(
  { fit }: Spec,
  run: Held,
  { at, targets, equal, compute }: CompareEntry,
): readonly Target[] {
  const { stages } = run;
  const isComputed = equal === 'compute';
  if (targets !== undefined) {
    const epochs = epochsBehind(fit, 1);
    const all = isComputed ? (compute ?? null) : null;
    return [...new Set(targets)]
      .sort((a, b) => a - b)
      .map((macs) => ({ stage: null, macs, epochs, compute: all }));
  }
  return (at === 'stages' ? stages.slice(1) : stages.slice(-1)).map(({ record }) => ({
    stage: record.stage,
    macs: record.macs,
    epochs: grownEpochs(stages, record.stage),
    compute: isComputed ? (compute ?? computeBehind(run, record.stage)) : null,
  }));
}

async function trainEntry(
  field: Field,
  entry: CompareEntry,
  targets: readonly Target[],
): Promise<readonly RivalRecord[]> {
  // A run that never grew has no stage from 1 on.
  if (targets.length === 0) return [];
  const { method, learningRate } = entry;
  const train = (job: Job) => field.train({ ...job, learningRate });
  const contest = { ...field, train, method, label: RIVALS[method].label, all: targets };
  const options = optionsOf(entry);
  // Where each target has so many multiply-adds, nothing is shared but jobs that are the same.
  const isShared = targets.every(({ compute }) => compute === null);
  const contests = isShared ? [targets] : targets.map((target) => [target]);
  const records: RivalRecord[] = [];
  for (const own of contests) {
    const outcomes = await trainRivals({ ...contest, targets: own }, options);
    records.push(...outcomes.map((outcome) => rivalRecord(contest, options, outcome)));
  }
  return records;
}

function grownOf(stages: readonly StageFolder[]): CompareRecord['grown'] {
  const last = stages.at(-1)?.record;
  if (last === undefined) return null;
  const epochs = stages.reduce((sum, { record }) => sum + record.epochs.length, last.finish?.length ?? 0);
  return { macs: last.macs, params: last.params, top1: last.evaluation.top1, epochs };
}

/**
 * Trains the rivals that the experiment asks for and writes compare.json after each entry; what is done already is not
 * done again. `onRivals` is told of each entry's, then. @returns all rivals of the output folder, those of other experiments with the same run included
 */
export async function compareRivals(
  spec: Spec,
  { data, start, stages: kept, delivered }: Grown,
  control: RunControl,
  onRivals: (rivals: readonly RivalRecord[]) => void = () => undefined,
): Promise<readonly RivalRecord[]> {
  const { output, seed, device } = spec;
  const trainImages = countOf(data.train);
  const stages = await withCompute(spec, trainImages, kept);
  const shared = { spec, data, start, stage: stages.length, control };
  const field: Field = {
    ...{ start, grown: stages, output, seed, device },
    epochCompute: (graph) => fitCompute({ spec, trainImages }, graph, [{}]),
    train: (job) => trainRival(shared, job),
  };
  let rivals = await readCompare(output);
  for (const entry of spec.compare) {
    const made = await trainEntry(field, entry, targetsOf(spec, { stages, delivered }, entry));
    rivals = mergeRivals(rivals, made);
    await writeCompare(output, { format: 'splitgrow-compare/1', grown: grownOf(stages), rivals });
    onRivals(made);
  }
  return rivals;
}
