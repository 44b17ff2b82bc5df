// Export for PyTorch: the weights with the graph in the file's metadata, and a module that rebuilds the network.
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { writeSafetensors } from '../data/safetensors.js';
import { SplitgrowError } from '../errors.js';
import { writeError, writeFileAtomic } from '../machine/files/atomic.js';
import { isLoader, pytorchLoader, pytorchMetadata } from './pytorch.js';
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

/** A module that somebody wrote is not replaced: its name follows from another file's. @throws E_WRITE */
async function refuseOther(loader: string): Promise<void> {
  const text = await readFile(loader, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw writeError(loader, error);
  });
  if (text === null || isLoader(text)) return;
  throw new SplitgrowError(
    'E_WRITE',
    `cannot write ${loader}, which loads the weights: expected a new name or a module that splitgrow wrote, found another file; give the weights another name`,
  );
}

/** Writes the weights as they are, batch norm kept, and beside them a module that loads them. @throws E_USAGE, E_WRITE */
export async function exportSafetensors(source: ExportSource, file: string): Promise<SafetensorsExport> {
  const loader = loaderBeside(file);
  await refuseOther(loader);
  const weights = await source.weights();
  await writeSafetensors(file, weights, pytorchMetadata(source.graph));
  await writeFileAtomic(loader, pytorchLoader(source.graph, basename(file)));
  return { file, loader, tensors: weights.size };
}
