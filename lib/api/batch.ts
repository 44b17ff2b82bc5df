// Batch files: float32 images, normalised already, and their labels.
import { toDevice } from '../data/part.js';
import type { TensorPart } from '../data/parts.js';
import { readSafetensors } from '../data/safetensors.js';
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { DatasetHandle, Device, TensorData } from '../native.js';
import { isFiniteTensor } from '../network.js';

function shapeText(tensor: TensorData | undefined): string {
  return tensor === undefined ? 'no such tensor' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
}

function checkLabels(labels: TensorData, classes: number, file: string): void {
  const view = new DataView(labels.data.buffer, labels.data.byteOffset, labels.data.byteLength);
  for (let at = 0; at < (labels.shape[0] ?? 0); at += 1) {
    const label = view.getBigInt64(8 * at, true);
    if (label < 0n || label >= BigInt(classes)) {
      throw new SplitgrowError(
        'E_LABELS',
        `${file}: expected labels from 0 to ${classes - 1}, got ${label} at image ${at}`,
      );
    }
  }
}

/** Reads a batch file and checks it against the network. @throws E_BATCH, E_LABELS */
export async function readBatch(
  file: string,
  graph: Graph,
): Promise<TensorPart & { readonly count: number }> {
  const tensors = await readSafetensors(file);
  const [images, labels] = [tensors.get('images'), tensors.get('labels')];
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
      `${file}: expected "images" float32 [N, ${wanted.join(', ')}] for network "${graph.name}", got ${shapeText(images)}`,
    );
  }
  if (labels?.dtype !== 'int64' || labels.shape.join() !== String(count)) {
    throw new SplitgrowError(
      'E_BATCH',
      `${file}: expected "labels" int64 [${count}], got ${shapeText(labels)}`,
    );
  }
  if (!isFiniteTensor(images)) {
    throw new SplitgrowError(
      'E_BATCH',
      `${file}: expected finite numbers in "images", got NaN or infinity; normalise the images again`,
    );
  }
  checkLabels(labels, lower(graph).classes, file);
  return { images, labels, count };
}

/** A batch file on the device. */
export async function loadBatch(
  file: string,
  graph: Graph,
  device: Device,
): Promise<{ readonly data: DatasetHandle; readonly count: number }> {
  const batch = await readBatch(file, graph);
  return { data: toDevice(graph, batch, lower(graph).classes, device), count: batch.count };
}
