// Rivals of a grown network, trained by its recipe; compare.json.
import type { Dataset } from '../data/dataset.js';
import type { Graph } from '../graph/ir.js';
import type { RunControl } from '../native/events.js';
import { type Field, grownEpochs, type Target } from '../rivals/contest.js';
import { type RivalRecord, rivalRecord } from '../rivals/record.js';
import { RIVALS, trainRivals } from '../rivals/table.js';
import { type CompareEntry, optionsOf } from './spec/compare.js';
import { epochsBehind } from './spec/epochs.js';
import type { Spec } from './spec/spec.js';
import { mergeRivals, readCompare, writeCompare } from './store/compare-file.js';
import type { CompareRecord } from './store/records.js';
import type { StageFolder } from './store/summary.js';
import { trainRival } from './train-rival.js';

interface Grown {
  readonly data: Dataset;
  /** The seed network's graph. */
  readonly start: Graph;
  readonly stages: readonly StageFolder[];
}

/** What an entry's rivals are held against, in order of MACs. */
function targetsOf(
  { fit }: Spec,
  stages: readonly StageFolder[],
  { at, targets }: CompareEntry,
): readonly Target[] {
  if (targets !== undefined) {
    const epochs = epochsBehind(fit, 1);
    return [...new Set(targets)].sort((a, b) => a - b).map((macs) => ({ stage: null, macs, epochs }));
  }
  return (at === 'stages' ? stages.slice(1) : stages.slice(-1)).map(({ record }) => ({
    stage: record.stage,
    macs: record.macs,
    epochs: grownEpochs(stages, record.stage),
  }));
}

async function trainEntry(
  field: Field,
  entry: CompareEntry,
  targets: readonly Target[],
): Promise<readonly RivalRecord[]> {
  // A run that never grew has no stage from 1 on.
  if (targets.length === 0) return [];
  const { method } = entry;
  const contest = { ...field, method, label: RIVALS[method].label, targets };
  const options = optionsOf(entry);
  const outcomes = await trainRivals(contest, options);
  return outcomes.map((outcome) => rivalRecord(contest, options, outcome));
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
  { data, start, stages }: Grown,
  control: RunControl,
  onRivals: (rivals: readonly RivalRecord[]) => void = () => undefined,
): Promise<readonly RivalRecord[]> {
  const { output, seed, device } = spec;
  const shared = { spec, data, start, stage: stages.length, control };
  const field: Field = {
    ...{ start, grown: stages, output, seed, device },
    train: (job) => trainRival(shared, job),
  };
  let rivals = await readCompare(output);
  for (const entry of spec.compare) {
    const made = await trainEntry(field, entry, targetsOf(spec, stages, entry));
    rivals = mergeRivals(rivals, made);
    await writeCompare(output, { format: 'splitgrow-compare/1', grown: grownOf(stages), rivals });
    onRivals(made);
  }
  return rivals;
}
