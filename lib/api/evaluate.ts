// evaluate: top-1, top-5 and loss of a network on a dataset's test images.
import { loadDataset } from '../data/dataset.js';
import type { RunControl } from '../events.js';
import { refuseMisfit } from '../experiment/start.js';
import { lower } from '../graph/lower.js';
import { loadNetwork } from '../network.js';
import { evaluateNetwork, toDevice } from '../train/fit.js';
import type { EvaluateDocument, EvaluateOptions } from './documents.js';
import { useThreads } from './source.js';

const BATCH = 256;

/** Pixels are normalised by the network's own mean and std. */
export async function evaluate(
  options: EvaluateOptions,
  control: RunControl = {},
): Promise<EvaluateDocument> {
  useThreads(options.threads);
  const device = options.device ?? 'cpu';
  using network = await loadNetwork(options.network, { device });
  const data = await loadDataset(options.data);
  refuseMisfit(network.graph, data);
  using test = toDevice(network.graph, data.test, lower(network.graph).classes, device);
  const { top1, top5, loss, images } = await evaluateNetwork(network, test, {
    batch: options.batch ?? BATCH,
    control,
  });
  return { top1, top5, loss, images };
}
