// Stages that an earlier call finished. Whoever iterates over a run gets them first; their costs must be the same as then.

import { SplitgrowError } from '../../errors.js';
import { type Cost, costOfGraph } from '../../graph/cost.js';
import { row } from '../../graph/fields.js';
import { note } from '../../native/control.js';
import { readGraph } from '../../train/network.js';
import { callerCosts } from '../spec/extensions.js';
import { readStage, readStages, type StageFolder, stageDirectory } from '../store/summary.js';
import { refuseDamaged } from '../store/whole-stage.js';
import type { Session } from './session.js';

/** How far a cost may differ by rounding, for example on another machine. */
const ROUNDING = 1e-9;

async function refuseOther({ record, directory }: StageFolder, costs: readonly Cost[]): Promise<void> {
  const recorded = costs.flatMap((cost) => {
    const before = row(record.costs ?? {}, cost.name);
    return before === undefined ? [] : [{ cost, before }];
  });
  if (recorded.length === 0) return;
  const graph = await readGraph(directory);
  for (const { cost, before } of recorded) {
    const now = costOfGraph(graph, cost);
    if (Math.abs(now - before) <= ROUNDING * Math.max(before, now)) continue;
    throw new SplitgrowError(
      'E_RESUME',
      `${directory}: expected cost "${cost.name}" to be ${before} as when the run was begun, got ${now}; give the run the function that it was begun with, or choose another output`,
    );
  }
}

/**
 * Stages that are finished, where the run stands at `stage`: those before it, and itself where nothing is left to grow.
 * @throws E_RESUME where one is missing or damaged and cannot be put back, or where a cost of the caller's own is another function than before
 */
export async function earlierStages(
  { spec, callers, control }: Session,
  stage: number,
  isDone: boolean,
): Promise<readonly StageFolder[]> {
  const stages = await readStages(spec.output, isDone ? stage : stage - 1);
  for (const kept of stages)
    await refuseDamaged(spec.output, kept, (text) => note(control, kept.record.stage, 'checkpoint', text));
  // The current stage may be fitted and recorded already.
  const here = isDone ? null : await readStage(stageDirectory(spec.output, stage));
  const costs = callerCosts(spec, callers);
  for (const kept of here === null ? stages : [...stages, here]) await refuseOther(kept, costs);
  return stages;
}
