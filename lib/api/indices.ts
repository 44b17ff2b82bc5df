// indices: splitting indices and directions of a network over a batch file.
import { writeSafetensors } from '../data/safetensors.js';
import { refuseOtherIndices } from '../distributed/compared.js';
import { asRank } from '../distributed/ranks.js';
import type { RunControl } from '../events.js';
import { loadCore } from '../native.js';
import { loadNetwork, refuseNotFinite } from '../network.js';
import { computeIndices, enoughEpochs, evenBatch, type IndicesRequest, PAPER } from '../split/indices.js';
import { withThreads } from '../threads.js';
import { note } from '../train/control.js';
import { seedOf } from '../train/seeds.js';
import { watched } from '../watched.js';
import { loadBatch } from './batch.js';
import type { IndicesCommandOptions, IndicesDocument } from './documents.js';

/** Most images of a minibatch: larger than the paper's 64, for a file is small and its descent is to converge. */
const BATCH = 128;

function requestOf(options: IndicesCommandOptions, images: number): IndicesRequest {
  const batch = evenBatch(images, BATCH);
  return {
    ...PAPER,
    method: options.method ?? 'auto',
    batch,
    epochs: options.epochs ?? enoughEpochs(images, batch),
    learningRate: options.learningRate ?? PAPER.learningRate,
    reluBeta: options.reluBeta ?? PAPER.reluBeta,
    identityCurvature: options.identityCurvature ?? PAPER.identityCurvature,
    images,
    seed: seedOf('indices', options.seed ?? 0),
  };
}

/** Tells what only the descent would take, where there is none. */
function noteUnused({ method, epochs, learningRate }: IndicesCommandOptions, control: RunControl): void {
  const given = [
    ...(epochs === undefined ? [] : [`--epochs ${epochs}`]),
    ...(learningRate === undefined || learningRate === PAPER.learningRate
      ? []
      : [`--learning-rate ${learningRate}`]),
  ];
  if (method === 'exact' && given.length > 0)
    note(control, 0, 'indices', `not used: ${given.join(', ')}; the method exact has no descent`);
}

/** Splitting indices over a batch file; writes the directions where `directions` names a file. */
export async function indices(
  options: IndicesCommandOptions,
  control: RunControl = {},
): Promise<IndicesDocument> {
  return watched(control, (own) =>
    withThreads(options.threads, () => asRank((isWriter) => indicesOfRank(options, own, isWriter))),
  );
}

async function indicesOfRank(
  options: IndicesCommandOptions,
  control: RunControl,
  isWriter: boolean,
): Promise<IndicesDocument> {
  const device = options.device ?? 'cpu';
  noteUnused(options, control);
  using network = await loadNetwork(options.network, { device, control });
  const { data, count } = await loadBatch(options.batch, network.graph, device);
  using images = data;
  const request = requestOf(options, count);
  await refuseOtherIndices(request, { network, batch: options.batch, device });
  const where = { stage: 0, epoch: 0, epochs: 1 };
  using result = await computeIndices(network, images, request, { control, where });
  if (isWriter && options.directions !== undefined) {
    const directions = new Map(loadCore().readDirections(result.directions));
    refuseNotFinite(directions, options.directions);
    await writeSafetensors(options.directions, directions);
  }
  return {
    method: result.method,
    seconds: result.seconds,
    layers: result.chains.map(({ id, neurons, dimension, indices: values, residuals, method }) => ({
      ...{ id, neurons, dimension, indices: [...values], residuals: [...residuals], method },
    })),
  };
}
