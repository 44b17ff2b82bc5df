// Files of text: read whole where they are of a sane size, and those that may not be there.
import { SplitgrowError } from './errors.js';
import { openFile } from './file.js';

/** Bytes of text that are read at most: network.json, plans and experiments are thousands of times smaller. */
const MOST_BYTES = 2 ** 28;

/** The text of a regular file of at most 256 MiB. Throws an Error with the reason. */
export async function readWhole(path: string): Promise<string> {
  await using handle = await openFile(path);
  const { size } = await handle.stat();
  if (size > MOST_BYTES) throw new Error(`expected at most ${MOST_BYTES} bytes of text, found ${size}`);
  return await handle.readFile('utf8');
}

/** What a file says, or null where there is none. @throws E_FILE where it cannot be read */
export async function readText(file: string): Promise<string | null> {
  try {
    return await readWhole(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new SplitgrowError('E_FILE', `${file}: expected a readable file; ${message}`, { cause });
  }
}
