// Datasets whose images are files: class folders, or a store packed from them.
import { SplitgrowError } from '../../errors.js';
import type { DataSpec, Source } from '../dataset.js';

export async function loadImages({ name }: DataSpec): Promise<Source> {
  throw new SplitgrowError('E_DATA', `the dataset "${name}" is not available in this version`);
}
