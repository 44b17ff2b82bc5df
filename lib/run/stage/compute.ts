// Multiply-adds of a stage for its record: of its epochs, and of everything between it and the next stage.
import type { Graph } from '../../graph/ir.js';
import { keptForms } from '../../split/indices/auto.js';
import { imagesOf, mostEpochsOf } from '../../split/indices/settings.js';
import { indicesCompute } from '../../split/indices/work.js';
import { forwardCompute, imagesOfEpoch, passesCompute } from '../../train/compute.js';
import { loadNetwork, type Network, readGraph } from '../../train/network.js';
import type { Spec } from '../spec/experiment.js';
import type { ChainRecord, EpochRecord, StepRecord } from '../store/records.js';
import type { StageFolder } from '../store/summary.js';
import type { Session } from './session.js';

/** An experiment and the images that it trains on. */
type Training = Pick<Session, 'trainImages'> & { readonly spec: Pick<Spec, 'fit'> };

/** Multiply-adds of epochs; images that could not be read were in no minibatch. */
export function fitCompute(
  { spec, trainImages }: Training,
  graph: Graph,
  epochs: readonly Pick<EpochRecord, 'loader'>[],
): number {
  // A network that is only grown may have minibatches that no training could take.
  if (epochs.length === 0) return 0;
  const each = imagesOfEpoch(trainImages, spec.fit, graph);
  const skipped = epochs.reduce((sum, { loader }) => sum + (loader?.skipped ?? 0), 0);
  return passesCompute(graph, each * epochs.length - skipped);
}

/** What a stage's indices were: of which images, and by what method a chain. */
export interface Measured {
  readonly chains: readonly ChainRecord[];
  readonly images: number;
}

/** Multiply-adds of the indices that the run uses; those of `splitting.alongside` are for comparison and do not count. */
export function searchCompute(
  { splitting }: Pick<Spec, 'splitting'>,
  network: Network,
  { chains, images }: Measured,
): number {
  const methods = chains.map(({ method }) => method);
  return indicesCompute(
    network.graph,
    // Records of older versions do not say how long a descent was: then it is as long as it may be.
    chains.map(({ id, method, epochs = mostEpochsOf(splitting) }) => ({ id, method, epochs })),
    { ...splitting, images, kept: keptForms(network, methods, { ...splitting, images }) },
  );
}

/**
 * Multiply-adds of a step: logits before it and at step 0, the loss before it and at each epsilon that was tried, and where
 * running statistics are estimated anew the images of that and the loss with them. Forward passes all.
 */
export function stepCompute(
  { splitting }: Pick<Spec, 'splitting'>,
  { before, split, after }: { readonly before: Graph; readonly split: Graph; readonly after: Graph },
  { step, trainImages }: { readonly step: StepRecord } & Pick<Session, 'trainImages'>,
): number {
  const { images } = step;
  const tried = step.kind === 'fixed' ? 1 : splitting.lineSearch.grid.length;
  const anew = Math.min(splitting.recalibrateImages, trainImages);
  const recalibrated = anew > 0 ? anew + images : 0;
  return (
    forwardCompute(before, 2 * images) +
    forwardCompute(split, (1 + tried) * images) +
    forwardCompute(after, recalibrated)
  );
}

/** Stages of older versions with the multiply-adds that their records lack, from what they tell and their networks. */
export async function withCompute(
  spec: Spec,
  trainImages: number,
  stages: readonly StageFolder[],
): Promise<readonly StageFolder[]> {
  const found: StageFolder[] = [];
  for (const [at, stage] of stages.entries()) {
    const { record, directory } = stage;
    if (record.compute !== undefined) {
      found.push(stage);
      continue;
    }
    using network = await loadNetwork(directory, { device: spec.device });
    const { graph } = network;
    const after = stages[at + 1];
    const { split, epochs, finish } = record;
    // Such versions put no new neurons in.
    const grownGraph = after === undefined ? graph : await readGraph(after.directory);
    const compute = {
      fit: fitCompute({ spec, trainImages }, graph, epochs),
      ...(finish && { finish: fitCompute({ spec, trainImages }, graph, finish) }),
      search:
        split === null || after === undefined
          ? 0
          : searchCompute(spec, network, {
              chains: split.chains,
              images: imagesOf(split.method, spec.splitting.images, trainImages),
            }) +
            stepCompute(
              spec,
              { before: graph, split: grownGraph, after: grownGraph },
              { step: split.step, trainImages },
            ),
    };
    found.push({ ...stage, record: { ...record, compute } });
  }
  return found;
}
