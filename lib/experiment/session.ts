// What all stages of a run share: the experiment, its images on the device, and the last pieces of a native call's options.
import { type Dataset, loadDataset } from '../data/dataset.js';
import { imageShape } from '../data/parts.js';
import type { RunControl } from '../events.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { type DatasetHandle, loadCore } from '../native.js';
import { type Images, takeImages, toDevice } from '../train/fit.js';
import type { Penalties } from '../train/penalties.js';
import { sampleIndices, seedOf } from '../train/seeds.js';
import type { Spec } from './spec.js';

export interface Session extends Disposable {
  readonly spec: Spec;
  readonly control: RunControl;
  /** Sparsity training: penalties of every epoch. */
  readonly penalties?: Penalties | undefined;
  readonly train: DatasetHandle;
  readonly trainImages: number;
  readonly test: DatasetHandle;
  /** Training images that the splitting indices are taken over. */
  readonly index: DatasetHandle;
  readonly indexImages: number;
  /** Some training images, others for every stage, to measure the step on; to be disposed of. */
  readonly probe: (stage: number) => { readonly data: DatasetHandle; readonly images: number };
}

/** Threads and images of an experiment, read before anything is written. */
export async function readData(spec: Spec): Promise<Dataset> {
  if (spec.threads !== null) loadCore().setThreads(spec.threads);
  return loadDataset(spec.data);
}

/** Puts the images on the device, normalised as the network wants them. */
export function openSession(spec: Spec, data: Dataset, graph: Graph, control: RunControl): Session {
  const { classes } = lower(graph);
  const held: DatasetHandle[] = [];
  const put = (part: Images): DatasetHandle => {
    const handle = toDevice(graph, part, classes, spec.device);
    held.push(handle);
    return handle;
  };
  const [trainImages] = imageShape(data.train.images);
  const indexImages = Math.min(spec.splitting.images ?? trainImages, trainImages);
  const dispose = (): void => held.forEach((handle) => void handle.dispose());
  try {
    const train = put(data.train);
    return {
      spec,
      control,
      train,
      trainImages,
      test: put(data.test),
      index:
        indexImages === trainImages
          ? train
          : put(takeImages(data.train, sampleIndices(trainImages, indexImages, seedOf('images', spec.seed)))),
      indexImages,
      probe: (stage) => {
        const chosen = sampleIndices(
          trainImages,
          spec.splitting.lineSearch.images,
          seedOf('probe', spec.seed, stage),
        );
        return {
          data: toDevice(graph, takeImages(data.train, chosen), classes, spec.device),
          images: chosen.length,
        };
      },
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
