// evaluate: top-1, top-5 and loss of a network on a dataset's test images.
import { type Dataset, loadDataset } from '../data/dataset.js';
import { isInMemory, toDevice } from '../data/part.js';
import { resizedDataset } from '../data/resize.js';
import type { RunControl } from '../events.js';
import { refuseMisfit } from '../experiment/start.js';
import { lower } from '../graph/lower.js';
import { loadNetwork, type Network } from '../network.js';
import { evaluateNetwork } from '../train/fit.js';
import type { EvaluateDocument, EvaluateOptions } from './documents.js';
import { useThreads } from './source.js';

const BATCH = 256;

/** The dataset at the network's square resolution, where that is asked for; files have none of their own and take it anyway. */
async function fitted(
  data: Dataset,
  { graph }: Network,
  { options, control }: { readonly options: EvaluateOptions; readonly control: RunControl },
): Promise<Dataset> {
  const [, height, width] = graph.input.shape;
  const isWanted = options.resize === true || !isInMemory(data.test);
  return isWanted && height === width ? resizedDataset(data, width, { control }) : data;
}

/** Pixels are normalised by the network's own mean and std. */
export async function evaluate(
  options: EvaluateOptions,
  control: RunControl = {},
): Promise<EvaluateDocument> {
  useThreads(options.threads);
  const device = options.device ?? 'cpu';
  using network = await loadNetwork(options.network, { device });
  const data = await fitted(await loadDataset(options.data, control), network, { options, control });
  refuseMisfit(network.graph, data);
  using test = toDevice(network.graph, data.test, lower(network.graph).classes, device);
  const { top1, top5, loss, images } = await evaluateNetwork(network, test, {
    batch: options.batch ?? BATCH,
    control,
  });
  return { top1, top5, loss, images };
}
