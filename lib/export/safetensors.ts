// Export for PyTorch: the weights with the graph in the file's metadata.
import { writeSafetensors } from '../data/safetensors.js';
import type { ExportSource } from './source.js';

/** What was written for PyTorch. */
export interface SafetensorsExport {
  readonly file: string;
  readonly tensors: number;
}

/** Writes the weights as they are, batch norm kept, and `network.json` as text in the metadata. @throws E_WRITE */
export async function exportSafetensors(source: ExportSource, file: string): Promise<SafetensorsExport> {
  const weights = await source.weights();
  await writeSafetensors(file, weights, { network: JSON.stringify(source.graph) });
  return { file, tensors: weights.size };
}
