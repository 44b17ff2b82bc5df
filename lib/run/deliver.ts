// What a run hands over: its grown network, or the same architecture trained from scratch, whichever is better on validation images.
import type { Dataset } from '../data/dataset.js';
import { countOf } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { Trained } from '../rivals/contest.js';
import { amount, decimal } from '../statistics/format.js';
import { runCompute } from '../train/compute.js';
import { createNetwork, readGraph } from '../train/network.js';
import { seedOf } from '../train/seeds.js';
import type { Spec } from './spec/spec.js';
import { fitCompute, withCompute } from './stage/compute.js';
import { bestDirectory, deliveredDirectory, writeBest } from './store/best.js';
import type { BestRecord, EvaluationRecord } from './store/records.js';
import { type Delivered, NOTHING, type StageFolder } from './store/summary.js';
import { trainRival } from './train-rival.js';

/** The run whose network is handed over. */
export interface Grown {
  readonly data: Dataset;
  /** The seed network's graph. */
  readonly start: Graph;
  /** All stages, in order. */
  readonly stages: readonly StageFolder[];
}

type Reached = Pick<EvaluationRecord, 'top1' | 'loss'>;

/** Of the same images: more of them right, or as many at a lower loss. */
function isBetter(one: Reached, other: Reached): boolean {
  return one.top1 > other.top1 || (one.top1 === other.top1 && one.loss < other.loss);
}

/** Whole epochs that training again may take, of the multiply-adds that growth left of the budget. */
export function epochsLeft(
  { compute }: Pick<Spec['deliver'], 'compute'>,
  grown: number,
  epoch: number,
): number {
  const left = compute === null ? grown : compute - grown;
  return Math.max(0, Math.floor(left / epoch));
}

/** Multiply-adds of the run up to a stage, whose records all have theirs. */
function grownCompute(stages: readonly StageFolder[], stage: number): number {
  const spent = runCompute(stages, stage);
  if (spent !== null) return spent;
  throw new SplitgrowError('E_INTERNAL', `deliver: expected the multiply-adds of stages 0 to ${stage}`);
}

/** The architecture of a stage with new weights; null where the budget leaves no epoch for it. */
async function retrained(
  spec: Spec,
  { data, start, stages }: Grown,
  { record, directory }: StageFolder,
  control: RunControl,
): Promise<Trained | null> {
  const { stage } = record;
  const graph = await readGraph(directory);
  const epoch = fitCompute({ spec, trainImages: countOf(data.train) }, graph, [{}]);
  const spent = grownCompute(stages, stage);
  const epochs = epochsLeft(spec.deliver, spent, epoch);
  if (epochs === 0) {
    note(
      control,
      stage,
      'fit',
      `WARNING: deliver.compute leaves nothing for training stage ${stage} again: an epoch takes ${amount(epoch)} multiply-adds, growth took ${amount(spent)}; the grown network is delivered`,
    );
    return null;
  }
  note(
    control,
    stage,
    'fit',
    `the architecture of stage ${stage} is trained from scratch: ${epochs} epochs, ${amount(epochs * epoch)} multiply-adds`,
  );
  const shared = { spec, data, start, stage: stages.length, control };
  return trainRival(shared, {
    name: `scratch-${record.macs}`,
    title: `Stage ${stage} from scratch`,
    graph,
    ...{ stage, epochs },
    learningRate: spec.deliver.learningRate,
    // Other weights than those that the run started from.
    key: 'rival',
    start: () => createNetwork(graph, { seed: seedOf('rival', spec.seed), device: spec.device }),
  });
}

/** Which of the two is handed over. Of equal ones the grown one. */
function chosen(
  { which }: Spec['deliver'],
  grown: StageFolder['record'],
  again: Trained | null,
): BestRecord['which'] {
  if (again === null) return 'grown';
  if (which === 'retrain') return 'retrained';
  const [a, b] = [again.record.validation, grown.validation];
  return a !== undefined && b !== undefined && isBetter(a, b) ? 'retrained' : 'grown';
}

async function deliverStage(
  spec: Spec,
  run: Grown,
  kept: StageFolder,
  control: RunControl,
): Promise<{ readonly from: string; readonly record: BestRecord }> {
  const { stage, macs, params, validation } = kept.record;
  const again = await retrained(spec, run, kept, control);
  const which = chosen(spec.deliver, kept.record, again);
  const winner = which === 'retrained' && again !== null ? again : kept;
  const { top1, top5, loss } = winner.record.evaluation;
  const record: BestRecord = {
    ...{ format: 'splitgrow-best/2', which, stage },
    validation: { grown: validation?.top1 ?? null, retrained: again?.record.validation?.top1 ?? null },
    test: { top1, top5, loss },
    ...{ macs, params },
    compute: { grown: grownCompute(run.stages, stage), retrained: again?.compute ?? null },
    seconds: winner.record.seconds,
  };
  const both = [record.validation.grown, record.validation.retrained].map((value) =>
    value === null ? 'none' : `${decimal(value, 2)} %`,
  );
  note(
    control,
    stage,
    'evaluate',
    `stage ${stage}: the ${which} network is delivered; validation top-1 grown ${both[0]}, retrained ${both[1]}`,
  );
  return { from: winner.directory, record };
}

/**
 * Writes output/best, and with `deliver.stages` output/delivered/stage-k: network directories with best.json. What is trained
 * for it is resumed after a stop, and not trained twice. Departs: the paper hands over the grown network (`deliver` "grown",
 * for which nothing is written).
 *
 * @returns best.json of the last stage first, then those of every stage where they are asked for
 * @throws E_ABORTED, E_NOT_FINITE, E_WRITE, E_OUTPUT
 */
export async function deliver(spec: Spec, run: Grown, control: RunControl): Promise<Delivered> {
  const { which, stages: isEvery } = spec.deliver;
  if (which === 'grown') return NOTHING;
  // Records of older versions lack their compute.
  const stages = await withCompute(spec, countOf(run.data.train), run.stages);
  const delivered: BestRecord[] = [];
  for (const kept of isEvery ? stages : stages.slice(-1)) {
    const { from, record } = await deliverStage(spec, { ...run, stages }, kept, control);
    if (isEvery) await writeBest(deliveredDirectory(spec.output, record.stage), from, record);
    if (kept === stages.at(-1)) await writeBest(bestDirectory(spec.output), from, record);
    delivered.push(record);
  }
  return { best: delivered.at(-1) ?? null, delivered: isEvery ? delivered : [] };
}
