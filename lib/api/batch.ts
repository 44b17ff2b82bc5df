// Batch files: float32 images, normalised already, and their labels.
import { labelsOf } from '../data/labels.js';
import { layoutHint } from '../data/layouts.js';
import { takeImages, toDevice } from '../data/part.js';
import type { TensorPart } from '../data/parts.js';
import { readSafetensors } from '../data/safetensors.js';
import { narrowed } from '../data/widen.js';
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { DatasetHandle, Device, TensorData } from '../native/face.js';
import { isFiniteTensor } from '../train/network.js';
import { sampleIndices } from '../train/seeds.js';

function shapeText(tensor: TensorData | undefined): string {
  return tensor === undefined ? 'no such tensor' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
}

/** What to do with images of another type or shape. */
function hint(images: TensorData | undefined, { input: { shape, mean, std } }: Graph): string {
  if (images === undefined) return '';
  const layout = layoutHint('images', images.shape, shape);
  if (layout !== null) return `; ${layout}`;
  if (images.dtype === 'uint8' && images.shape.slice(1).join() === shape.join()) {
    const list = (values: readonly number[] | undefined, usual: number): string =>
      `numpy.reshape([${(values ?? shape.slice(0, 1).map(() => usual)).join(', ')}], (-1, 1, 1))`;
    const line = `((images / 255 - ${list(mean, 0)}) / ${list(std, 1)}).astype("float32")`;
    return `; a batch file holds images as the network takes them, in NumPy: ${line}`;
  }
  if (images.shape.length === 4)
    return '; save images of that size, or `splitgrow predict` image files, which it resizes';
  return '';
}

/** Reads a batch file and checks it against the network. @throws E_BATCH, E_LABELS */
export async function readBatch(
  file: string,
  graph: Graph,
): Promise<TensorPart & { readonly count: number }> {
  const tensors = await readSafetensors(file);
  const given = tensors.get('images');
  const images = given && narrowed(given, { code: 'E_BATCH', place: file, name: 'images' });
  const wanted = graph.input.shape;
  const count = images?.shape[0] ?? 0;
  if (
    images?.dtype !== 'float32' ||
    images.shape.length !== 4 ||
    count < 1 ||
    images.shape.slice(1).join() !== wanted.join()
  ) {
    throw new SplitgrowError(
      'E_BATCH',
      `${file}: expected "images" float32 [N, ${wanted.join(', ')}] for network "${graph.name}", got ${shapeText(given)}${hint(given, graph)}`,
    );
  }
  if (!isFiniteTensor(images)) {
    throw new SplitgrowError(
      'E_BATCH',
      `${file}: expected finite numbers in "images", got NaN or infinity; normalise the images again`,
    );
  }
  const labels = labelsOf(tensors.get('labels'), count, {
    ...{ name: 'labels', place: file, code: 'E_BATCH', classes: lower(graph).classes },
  });
  return { images, labels, count };
}

/** So many images of a batch file, chosen by the seed; all where `images` is undefined, or more than there are. */
interface Chosen {
  readonly images: number | undefined;
  readonly seed: number;
}

/** A batch file on the device. @throws E_ARGUMENT where no image is asked for */
export async function loadBatch(
  file: string,
  graph: Graph,
  device: Device,
  { images, seed }: Chosen = { images: undefined, seed: 0 },
): Promise<{ readonly data: DatasetHandle; readonly count: number }> {
  if (images !== undefined && !(Number.isInteger(images) && images >= 1))
    throw new SplitgrowError('E_ARGUMENT', `images: expected a whole number of 1 or more, got ${images}`);
  const { count: all, ...batch } = await readBatch(file, graph);
  const count = Math.min(images ?? all, all);
  const part = count === all ? batch : takeImages(batch, sampleIndices(all, count, seed));
  return { data: toDevice(graph, part, lower(graph).classes, device), count };
}
