// evaluate: top-1, top-5 and loss of a network on a dataset's test images.
import { type Dataset, loadDataset, refuseEmpty } from '../data/dataset.js';
import { toDevice } from '../data/part.js';
import { resizedDataset } from '../data/resize.js';
import { SplitgrowError } from '../errors.js';
import type { RunControl } from '../events.js';
import { refuseMisfit } from '../experiment/start.js';
import { lower } from '../graph/lower.js';
import { loadNetwork, type Network } from '../network.js';
import { withThreads } from '../threads.js';
import { evaluateNetwork } from '../train/fit.js';
import { watched } from '../watched.js';
import type { EvaluateDocument, EvaluateOptions } from './documents.js';

const BATCH = 256;

/** The test images at the network's square resolution: files are cropped to it, others are resized where that is asked for. */
async function fitted(
  { graph }: Network,
  { options, control }: { readonly options: EvaluateOptions; readonly control: RunControl },
): Promise<Dataset> {
  const [, height, width] = graph.input.shape;
  const { data, shortSide } = options;
  if (!('scaledDecoding' in data)) {
    if (shortSide !== undefined)
      throw new SplitgrowError(
        'E_USAGE',
        'short side: expected only with imagenet or image-folder; leave it out',
      );
    const whole = await loadDataset(data, control);
    return options.resize === true && height === width ? resizedDataset(whole, width, { control }) : whole;
  }
  if (shortSide !== undefined && shortSide < width) {
    throw new SplitgrowError(
      'E_USAGE',
      `short side: expected at least the network's resolution, ${width}, got ${shortSide}`,
    );
  }
  const chosen = shortSide ?? data.shortSide ?? graph.input.shortSide ?? null;
  return loadDataset({ ...data, resolution: width, shortSide: chosen }, control);
}

/** Pixels are normalised by the network's own mean and std. */
export async function evaluate(
  options: EvaluateOptions,
  control: RunControl = {},
): Promise<EvaluateDocument> {
  return watched(control, (own) => withThreads(options.threads, () => evaluated(options, own)));
}

async function evaluated(options: EvaluateOptions, control: RunControl): Promise<EvaluateDocument> {
  const device = options.device ?? 'cpu';
  using network = await loadNetwork(options.network, { device, control });
  const data = await fitted(network, { options, control });
  refuseEmpty(data, 'test');
  refuseMisfit(network.graph, data);
  using test = toDevice(network.graph, data.test, lower(network.graph).classes, device);
  const { top1, top5, loss, images } = await evaluateNetwork(network, test, {
    batch: options.batch ?? BATCH,
    control,
  });
  return { top1, top5, loss, images };
}
