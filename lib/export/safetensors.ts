// Export for PyTorch: the weights with the graph in the file's metadata, and a module that rebuilds the network.
import { basename, extname } from 'node:path';
import { writeFileAtomic } from '../atomic.js';
import { writeSafetensors } from '../data/safetensors.js';
import { SplitgrowError } from '../errors.js';
import { pytorchLoader, pytorchMetadata } from './pytorch.js';
import type { ExportSource } from './source.js';

/** What was written for PyTorch. */
export interface SafetensorsExport {
  readonly file: string;
  /** The Python module beside it. */
  readonly loader: string;
  readonly tensors: number;
}

/** Beside x.safetensors: x.py. @throws E_USAGE for x.py itself */
export function loaderBeside(file: string): string {
  const extension = extname(file);
  if (extension === '.py') {
    throw new SplitgrowError(
      'E_USAGE',
      `--safetensors: expected a name like net.safetensors, got "${file}", the name of a Python module`,
    );
  }
  return `${extension === '' ? file : file.slice(0, -extension.length)}.py`;
}

/** Writes the weights as they are, batch norm kept, and beside them a module that loads them. @throws E_USAGE, E_WRITE */
export async function exportSafetensors(source: ExportSource, file: string): Promise<SafetensorsExport> {
  const loader = loaderBeside(file);
  const weights = await source.weights();
  await writeSafetensors(file, weights, pytorchMetadata(source.graph));
  await writeFileAtomic(loader, pytorchLoader(source.graph, basename(file)));
  return { file, loader, tensors: weights.size };
}
