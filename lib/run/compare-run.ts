// Rivals alone: for a run that has been grown, or for targets in MACs that need none.
import { countOf } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import { note, refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import { compareRivals } from './compare.js';
import type { Reporting } from './run.js';
import type { Spec } from './spec/spec.js';
import { noteUnused } from './spec/unused-notes.js';
import { readData } from './stage/session.js';
import { startNetwork } from './stage/start.js';
import { readDelivered } from './store/best.js';
import { holdOf } from './store/lock.js';
import { withOutput } from './store/output.js';
import type { RivalRecord, Summary } from './store/records.js';
import { readStage, type StageFolder, stageDirectory, summaryOf, writeSummary } from './store/summary.js';
import { refuseDamaged } from './store/whole-stage.js';

/** Every stage of a finished growth run; none where the output folder holds none. @throws E_EXPERIMENT where it is not finished */
async function grownStages(output: string): Promise<readonly StageFolder[]> {
  const stages: StageFolder[] = [];
  for (;;) {
    const directory = stageDirectory(output, stages.length);
    const kept = await readStage(directory);
    if (kept !== null) stages.push(kept);
    else if (stages.length === 0 || stages.at(-1)?.record.ended !== null) return stages;
    else {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `compare: ${output} holds a run that has not come to its end; run \`splitgrow grow\` first`,
      );
    }
  }
}

/** What a comparison is given besides its experiment and its control. */
export interface CompareOptions {
  /** Told of the rivals of each entry of `compare` once they are in compare.json, those of earlier calls included. */
  readonly onRivals?: ((rivals: readonly RivalRecord[]) => void) | undefined;
}

/** Trains the rivals of an experiment, from where an earlier run was stopped; grows nothing. Returns the summary. */
export async function compareExperiment(
  spec: Spec,
  control: RunControl = {},
  options: CompareOptions & Reporting = {},
): Promise<Summary> {
  return watched(control, (watching) => withThreads(spec.threads, () => compared(spec, watching, options)));
}

async function compared(
  spec: Spec,
  control: RunControl,
  options: CompareOptions & Reporting,
): Promise<Summary> {
  refuseAborted(control);
  if (spec.compare.length === 0)
    throw new SplitgrowError('E_EXPERIMENT', 'compare: expected at least one rival, got none');
  const stages = await grownStages(spec.output);
  const needy = spec.compare.find(({ targets }) => targets === undefined);
  if (stages.length === 0 && needy !== undefined) {
    throw new SplitgrowError(
      'E_EXPERIMENT',
      `compare: "${needy.method}" is held against a grown network, and ${spec.output} holds none; run \`splitgrow grow\` first, or give it targets`,
    );
  }
  const data = await readData(spec, control);
  using start = await startNetwork(spec, data, control);
  const use = { spec, command: 'compare', graph: start.graph, trainImages: countOf(data.train) } as const;
  noteUnused(use, control);
  const hold = holdOf(control);
  return await withOutput(spec, stages.length > 0 ? 'grow' : 'compare', { hold }, async () => {
    for (const kept of stages)
      await refuseDamaged(spec.output, kept, (text) => note(control, kept.record.stage, 'checkpoint', text));
    const delivered = await readDelivered(spec.output, stages);
    const rivals = await compareRivals(
      spec,
      { data, start: start.graph, stages, delivered },
      hold.control,
      options.onRivals,
    );
    const summary = summaryOf(spec, stages, { rivals, delivered });
    await writeSummary(spec.output, summary);
    if (stages.length > 0) await options.writeReport?.(spec.output);
    return summary;
  });
}
