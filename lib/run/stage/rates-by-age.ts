// Rates by age in a run: the norms of newborn weights that a step keeps, and the factors that follow from all of them.
import { SplitgrowError } from '../../errors.js';
import type { Graph } from '../../graph/ir.js';
import { widths } from '../../graph/print.js';
import type { TensorEntries } from '../../native/face.js';
import { type BirthNorms, type Norms, normsBornAt, rateFactors } from '../../split/step/ages.js';
import { weightsOf } from '../../split/step/neuron-weights.js';
import type { Network } from '../../train/network.js';
import type { Spec } from '../spec/spec.js';
import { readStageRecord, stageDirectory } from '../store/summary.js';
import type { Session } from './session.js';

/** Norms of the weights that a run begins with; null unless its experiment asks for rates by age. */
export function beginningNorms({ fit }: Spec, start: Network): Norms | null {
  return fit.rateByAge ? normsBornAt(start.graph, weightsOf(start), []) : null;
}

/** What the split of `stage`, which made `grown` of a network, keeps of its newborn weights; nothing unless asked for. */
export function birthRecord(
  { beginning = null }: Session,
  stage: number,
  before: Graph,
  grown: Network,
): { readonly births?: BirthNorms } {
  if (beginning === null) return {};
  const born = normsBornAt(grown.graph, weightsOf(grown), [widths(before)]);
  return { births: { ...(stage === 0 && { beginning }), born } };
}

/**
 * Factors on the rates of a stage, by the records of all splits before it: a run that goes on finds the same.
 * @throws E_RESUME where a record lacks its norms
 */
export async function ratesByAge({ spec }: Session, graph: Graph, stage: number): Promise<TensorEntries> {
  if (!spec.fit.rateByAge || stage === 0) return [];
  const records = await Promise.all(
    Array.from({ length: stage }, async (_, at) => {
      const directory = stageDirectory(spec.output, at);
      const record = await readStageRecord(directory);
      const births = record?.split?.step.births;
      if (record !== null && births !== undefined) return { widths: record.widths, births };
      throw new SplitgrowError(
        'E_RESUME',
        `${directory}: expected the norms of newborn weights (split.step.births), which fit.rateByAge needs, found none; put stage.json back, or choose another output`,
      );
    }),
  );
  return rateFactors(
    graph,
    records.map((record) => record.widths),
    records.map((record) => record.births),
  );
}
