// What all stages of a run share: the experiment, its images on the device, and the last pieces of a native call's options.
import { type Dataset, loadDataset, refuseEmpty } from '../../data/dataset.js';
import { matchClasses } from '../../data/match-classes.js';
import { countOf, type Part, takeImages, toDevice } from '../../data/part.js';
import { refuseOtherData } from '../../distributed/compared.js';
import type { Graph } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import type { RunControl } from '../../native/events.js';
import type { DatasetHandle, TensorEntries } from '../../native/face.js';
import { imagesOf, type Method } from '../../split/indices/settings.js';
import type { Norms } from '../../split/step/ages.js';
import type { Penalties } from '../../train/penalties.js';
import { precisionOn } from '../../train/precision.js';
import { type Purpose, sampleIndices, seedOf } from '../../train/seeds.js';
import { withValidation } from '../../train/validation.js';
import { checkTraining } from '../spec/batch-norm-passes.js';
import { type CallerTables, NONE } from '../spec/extensions.js';
import type { Spec } from '../spec/spec.js';

export interface Session extends Disposable {
  readonly spec: Spec;
  readonly control: RunControl;
  /** Costs and strategies of the caller's own that the experiment may name. */
  readonly callers: CallerTables;
  /** The penalties of an epoch, for sparsity training. */
  readonly penalties?: Penalties | undefined;
  /** Norms of the weights that a run with rates by age began with; absent or null: it has none. */
  readonly beginning?: Norms | null;
  /** Factors on the rates of a training that goes on from a grown network; absent: those of the stage. */
  readonly rateFactors?: TensorEntries;
  readonly train: DatasetHandle;
  readonly trainImages: number;
  readonly test: DatasetHandle;
  /** What everything that chooses looks at; null where the experiment sets no images apart. */
  readonly validation: DatasetHandle | null;
  /** Training images that the splitting indices of a method are taken over, the same ones in every stage. */
  readonly index: (method: Method) => Sample;
  /** Images to measure the step on: the probe's, but validation images where the step is searched for and there are some. The caller disposes of them. */
  readonly stepProbe: (stage: number) => Sample;
  /** Some training images, different ones in every stage. The caller disposes of them. */
  readonly probe: (stage: number) => Sample;
  /** Some training images to estimate running statistics on. The caller disposes of them. */
  readonly recalibration: (stage: number) => Sample;
}

interface Sample {
  readonly data: DatasetHandle;
  readonly images: number;
}

/** The images of an experiment, those for validation taken out of training. They are found before anything is written. */
export async function readData(spec: Spec, control: RunControl = {}): Promise<Dataset> {
  precisionOn(spec.device, spec.fit.precision);
  const data = await loadDataset(spec.data, control);
  refuseEmpty(data, 'train');
  refuseEmpty(data, 'test');
  await refuseOtherData(data);
  return withValidation(data, spec.data.validation ?? 0, spec.seed);
}

/**
 * Puts the images on the device, normalised and labelled as the network wants them.
 * @throws E_LABELS for classes that it does not have, E_EXPERIMENT where training could not take a minibatch
 */
export function openSession(
  spec: Spec,
  given: Dataset,
  graph: Graph,
  control: RunControl,
  callers: CallerTables = NONE,
): Session {
  const { classes } = lower(graph);
  const { data } = matchClasses(graph, given);
  const held: DatasetHandle[] = [];
  const put = (part: Part): DatasetHandle => {
    const handle = toDevice(graph, part, classes, spec.device);
    held.push(handle);
    return handle;
  };
  const trainImages = countOf(data.train);
  checkTraining(spec, graph, trainImages, control);
  const sample = (count: number, purpose: Purpose, stage: number, from = data.train): Sample => {
    const chosen = sampleIndices(countOf(from), count, seedOf(purpose, spec.seed, stage));
    const part = takeImages(from, chosen);
    return { data: toDevice(graph, part, classes, spec.device), images: chosen.length };
  };
  const chosen = new Map<number, DatasetHandle>();
  const dispose = (): void => held.forEach((handle) => void handle.dispose());
  try {
    const train = put(data.train);
    return {
      spec,
      control,
      callers,
      train,
      trainImages,
      test: put(data.test),
      validation: data.validation === undefined ? null : put(data.validation),
      index: (method) => {
        const images = imagesOf(method, spec.splitting.images, trainImages);
        if (images === trainImages) return { data: train, images };
        const found =
          chosen.get(images) ??
          put(takeImages(data.train, sampleIndices(trainImages, images, seedOf('images', spec.seed))));
        chosen.set(images, found);
        return { data: found, images };
      },
      stepProbe: (stage) => {
        const { epsilon, lineSearch } = spec.splitting;
        const searched = epsilon === 'line-search' ? data.validation : undefined;
        return sample(lineSearch.images, 'probe', stage, searched);
      },
      probe: (stage) => sample(spec.splitting.lineSearch.images, 'probe', stage),
      recalibration: (stage) => sample(spec.splitting.recalibrateImages, 'recalibrate', stage),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
