// Rivals of a grown network: trained from scratch by its recipe for its total epochs; compare.json.
import { join } from 'node:path';
import { writeFileAtomic } from '../atomic.js';
import { atMostMacs } from '../baselines/width-multiplier.js';
import type { Dataset } from '../data/dataset.js';
import { SplitgrowError } from '../errors.js';
import type { RunControl } from '../events.js';
import { decimal, integer } from '../format.js';
import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { createNetwork } from '../network.js';
import { note } from '../train/control.js';
import { seedOf } from '../train/seeds.js';
import { epochsOf, totalEpochs } from './epochs.js';
import type { CompareRecord, RivalRecord, StageRecord } from './records.js';
import type { FitSpec, Spec } from './spec.js';
import { trainNetwork } from './train.js';

interface Grown {
  readonly data: Dataset;
  /** The seed network's graph. */
  readonly start: Graph;
  readonly stages: readonly StageRecord[];
}

/** The recipe over the epochs of all stages: one schedule, its steps at the same shares as in the last stage. */
function stretched(fit: FitSpec, stages: number): FitSpec {
  const { schedule } = fit;
  const epochs = totalEpochs(fit, stages);
  const factor = epochs / Math.max(1, epochsOf(fit, stages - 1));
  const longer =
    schedule.kind === 'steps' ? { ...schedule, at: schedule.at.map((epoch) => epoch * factor) } : schedule;
  return { ...fit, epochs, schedule: longer };
}

type Build = (grown: Grown, target: number) => { readonly graph: Graph; readonly multiplier: number };

/** One row a rival: its network of at most the grown network's MACs. */
const RIVALS: Readonly<Record<Spec['compare'][number], Build>> = {
  'width-multiplier': ({ start }, target) => atMostMacs(start, target),
};

async function trainRival(
  spec: Spec,
  method: Spec['compare'][number],
  grown: Grown,
  control: RunControl,
): Promise<RivalRecord> {
  const last = grown.stages.at(-1);
  if (last === undefined)
    throw new SplitgrowError('E_INTERNAL', 'compare: expected a grown network, got no stage');
  const { graph, multiplier } = RIVALS[method](grown, last.macs);
  const directory = join(spec.output, 'compare', `${method}-${macs(graph)}`);
  const stage = grown.stages.length;
  const own: RunControl = {
    ...control,
    onEvent: control.onEvent && ((event) => control.onEvent?.({ ...event, stage })),
  };
  note(
    own,
    stage,
    'fit',
    `rival: ${method} ${decimal(multiplier, 2)}x, ${integer(macs(graph))} MACs, from scratch`,
  );
  const rivalSpec: Spec = {
    ...spec,
    name: `${spec.name}: ${method}`,
    fit: stretched(spec.fit, grown.stages.length),
    compare: [],
    output: directory,
  };
  using start = createNetwork(graph, { seed: seedOf('weights', spec.seed), device: spec.device });
  const record = await trainNetwork(rivalSpec, { data: grown.data, start }, own);
  const { top1, top5, loss } = record.evaluation;
  return {
    ...{
      method,
      directory,
      multiplier,
      macs: record.macs,
      params: record.params,
      epochs: record.epochs.length,
    },
    ...{ top1, top5, loss, widths: record.widths, seconds: record.seconds },
  };
}

/** Trains the rivals that the experiment asks for, and writes compare.json. */
export async function compareRivals(
  spec: Spec,
  grown: Grown,
  control: RunControl,
): Promise<readonly RivalRecord[]> {
  const last = grown.stages.at(-1);
  if (spec.compare.length === 0 || last === undefined) return [];
  const rivals: RivalRecord[] = [];
  for (const method of new Set(spec.compare)) rivals.push(await trainRival(spec, method, grown, control));
  const record: CompareRecord = {
    format: 'splitgrow-compare/1',
    grown: {
      macs: last.macs,
      params: last.params,
      top1: last.evaluation.top1,
      epochs: grown.stages.reduce((sum, { epochs }) => sum + epochs.length, 0),
    },
    rivals,
  };
  await writeFileAtomic(join(spec.output, 'compare.json'), `${JSON.stringify(record, null, 2)}\n`);
  return rivals;
}
