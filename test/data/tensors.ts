// Datasets whose images must be in memory, for tests that look at pixels.
import { type Dataset, loadDataset } from '../../lib/data/dataset.js';
import { isInMemory, type Part } from '../../lib/data/part.js';
import type { TensorPart } from '../../lib/data/parts.js';
import type { DataSpec } from '../../lib/data/source.js';

function tensorsOf(part: Part): TensorPart {
  if (isInMemory(part)) return part;
  throw new Error('expected images in memory');
}

export async function loadTensors(
  spec: DataSpec,
): Promise<Dataset & { readonly train: TensorPart; readonly test: TensorPart }> {
  const data = await loadDataset(spec);
  return { ...data, train: tensorsOf(data.train), test: tensorsOf(data.test) };
}
