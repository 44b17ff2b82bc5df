// The one reader of text files and JSON files. It limits their size, expects UTF-8, and leaves out a byte order mark.
import { isUtf8 } from 'node:buffer';
import { type ErrorCode, SplitgrowError } from '../../errors.js';
import { openFile } from './file.js';
import { HEAD_BYTES, otherKind } from './file-kind.js';
import { parseStrictJson } from './json.js';

/** The largest text file that is read, in bytes. network.json, plans and experiments are thousands of times smaller. */
const MOST_BYTES = 2 ** 28;
const NEWLINE = 10;

/** Marks that editors put at the start of files in other encodings. */
const OTHER_MARKS: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['UTF-32', [0xff, 0xfe, 0, 0]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
];

const startsWith = (bytes: Uint8Array, mark: readonly number[]): boolean =>
  mark.every((byte, at) => bytes[at] === byte);

/** The number, from 1, of the first line that is not UTF-8. The byte of a newline is part of no other character in UTF-8. */
function faultyLine(bytes: Buffer): number {
  for (let line = 1, from = 0; ; line += 1) {
    const end = bytes.indexOf(NEWLINE, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return line;
    from = end + 1;
  }
}

/**
 * The text of a file's bytes, without the byte order mark that Windows editors put at the start.
 *
 * @throws SyntaxError for bytes that are not UTF-8, naming the first such line from 1
 */
export function decodeText(bytes: Buffer): string {
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  const other = OTHER_MARKS.find(([, mark]) => startsWith(bytes, mark))?.[0];
  const found = other === undefined ? `line ${faultyLine(bytes)} is in another encoding` : `found ${other}`;
  throw new SyntaxError(`expected text in UTF-8, ${found}; save the file as UTF-8`);
}

/** The text of a regular file of at most 256 MiB. Throws an Error with the reason; a SyntaxError where it is no text or not UTF-8. */
export async function readWhole(path: string): Promise<string> {
  await using handle = await openFile(path);
  const { size } = await handle.stat();
  if (size > MOST_BYTES) throw new Error(`expected at most ${MOST_BYTES} bytes of text, found ${size}`);
  const bytes = await handle.readFile();
  const kind = size === 0 ? null : otherKind(bytes.subarray(0, HEAD_BYTES), path, 'text');
  if (kind !== null) throw new SyntaxError(`expected text, ${kind}`);
  return decodeText(bytes);
}

/** What a file says, or null where there is none. @throws E_FILE where it cannot be read or is not UTF-8 */
export async function readText(file: string): Promise<string | null> {
  try {
    return await readWhole(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new SplitgrowError('E_FILE', `${file}: expected a readable file; ${message}`, { cause });
  }
}

/** How a file of JSON is refused. */
export interface JsonRefusal {
  /** The code of the error for a file that is no JSON. */
  readonly code: ErrorCode;
  /** What to do, at the end of the message. */
  readonly remedy?: string;
}

/**
 * The value of a file of strict JSON: no comments, no name twice in an object. Undefined where there is no file.
 *
 * @throws E_FILE where it cannot be read; `code` where it is no such JSON or not UTF-8
 */
export async function readJsonFile(file: string, { code, remedy }: JsonRefusal): Promise<unknown> {
  try {
    return parseStrictJson(await readWhole(file));
  } catch (cause) {
    const { code: system, message } = cause as NodeJS.ErrnoException;
    if (system === 'ENOENT') return undefined;
    const end = remedy === undefined ? '' : `; ${remedy}`;
    if (cause instanceof SyntaxError)
      throw new SplitgrowError(code, `${file}: expected JSON; ${message}${end}`, { cause });
    throw new SplitgrowError('E_FILE', `${file}: expected a readable file; ${message}`, { cause });
  }
}
