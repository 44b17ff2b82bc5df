// Files of text that may not be there.
import { readFile } from 'node:fs/promises';
import { SplitgrowError } from './errors.js';

/** What a file says, or null where there is none. @throws E_FILE where it cannot be read */
export async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new SplitgrowError('E_FILE', `${file}: expected a readable file; ${message}`, { cause });
  }
}
