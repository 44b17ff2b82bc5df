// Rivals of a grown network, trained by its recipe; compare.json.
import type { Dataset } from '../data/dataset.js';
import type { Graph } from '../graph/ir.js';
import type { RunControl } from '../native/events.js';
import { type Contest, grownEpochs, type Target } from '../rivals/contest.js';
import { rivalRecord } from '../rivals/outcome.js';
import { rowOf } from '../rivals/table.js';
import type { CompareEntry } from './spec/compare.js';
import { epochsBehind } from './spec/epochs.js';
import type { Spec } from './spec/spec.js';
import { mergeRivals, readCompare, writeCompare } from './store/compare-file.js';
import type { CompareRecord, RivalRecord } from './store/records.js';
import type { Kept } from './store/summary.js';

interface Grown {
  readonly data: Dataset;
  /** The seed network's graph. */
  readonly start: Graph;
  readonly stages: readonly Kept[];
}

type Field = Omit<Contest, 'targets'>;

/** What an entry's rivals are held against, in order of MACs. */
function targetsOf(field: Field, { at, targets }: CompareEntry): readonly Target[] {
  const { spec, grown } = field;
  if (targets !== undefined) {
    const epochs = epochsBehind(spec.fit, 1);
    return [...new Set(targets)].sort((a, b) => a - b).map((macs) => ({ stage: null, macs, epochs }));
  }
  return (at === 'stages' ? grown.slice(1) : grown.slice(-1)).map(({ record }) => ({
    stage: record.stage,
    macs: record.macs,
    epochs: grownEpochs({ ...field, targets: [] }, record.stage),
  }));
}

async function trainEntry(field: Field, entry: CompareEntry): Promise<readonly RivalRecord[]> {
  const targets = targetsOf(field, entry);
  // A run that never grew has no stage from 1 on.
  if (targets.length === 0) return [];
  const { label, train } = rowOf(entry);
  const outcomes = await train({ ...field, targets }, entry);
  return outcomes.map((outcome) => rivalRecord(entry, label, outcome));
}

function grownOf(stages: readonly Kept[]): CompareRecord['grown'] {
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
  let rivals = await readCompare(spec.output);
  for (const entry of spec.compare) {
    const made = await trainEntry({ spec, data, start, grown: stages, control }, entry);
    rivals = mergeRivals(rivals, made);
    await writeCompare(spec.output, { format: 'splitgrow-compare/1', grown: grownOf(stages), rivals });
    onRivals(made);
  }
  return rivals;
}
