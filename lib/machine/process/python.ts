// Parameters that start Python in isolation, with the program in python/. That file says what isolation means.
import { fileURLToPath } from 'node:url';

/** From lib/ and from dist/ alike. */
const PROGRAM = fileURLToPath(new URL('../../../python/isolated.py', import.meta.url));

/** Parameters of python3 for pip. */
export function pipCommand(words: readonly string[]): readonly string[] {
  return ['-I', PROGRAM, 'pip', ...words];
}

/** Parameters of python3 that print the path of the file torch/__init__.py, or an empty line. */
export const TORCH_COMMAND: readonly string[] = ['-I', PROGRAM, 'torch'];
