// indices: splitting indices and directions of a network over a batch file.
import { writeSafetensors } from '../data/safetensors.js';
import type { RunControl } from '../events.js';
import { loadCore } from '../native.js';
import { loadNetwork } from '../network.js';
import { computeIndices, enoughEpochs, type IndicesRequest, PAPER } from '../split/indices.js';
import { seedOf } from '../train/seeds.js';
import { loadBatch } from './batch.js';
import type { IndicesCommandOptions, IndicesDocument } from './documents.js';
import { useThreads } from './source.js';

function requestOf(options: IndicesCommandOptions, images: number): IndicesRequest {
  return {
    ...PAPER,
    method: options.method ?? 'auto',
    epochs: options.epochs ?? enoughEpochs(images, PAPER.batch),
    learningRate: options.learningRate ?? PAPER.learningRate,
    reluBeta: options.reluBeta ?? PAPER.reluBeta,
    identityCurvature: options.identityCurvature ?? PAPER.identityCurvature,
    images,
    seed: seedOf('indices', options.seed ?? 0),
  };
}

/** Splitting indices over a batch file; writes the directions where `directions` names a file. */
export async function indices(options: IndicesCommandOptions, control: RunControl = {}): Promise<IndicesDocument> {
  useThreads(options.threads);
  const device = options.device ?? 'cpu';
  using network = await loadNetwork(options.network, { device });
  const { data, count } = await loadBatch(options.batch, network.graph, device);
  using images = data;
  const request = requestOf(options, count);
  const where = { stage: 0, epoch: 0, epochs: request.epochs };
  using result = await computeIndices(network, images, request, { control, where });
  if (options.directions !== undefined) {
    await writeSafetensors(options.directions, new Map(loadCore().readDirections(result.directions)));
  }
  return {
    method: result.method,
    seconds: result.seconds,
    layers: result.chains.map(({ id, neurons, dimension, indices: values, residuals, method }) => ({
      ...{ id, neurons, dimension, indices: [...values], residuals: [...residuals], method },
    })),
  };
}
