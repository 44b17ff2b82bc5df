// The safetensors format: reading that trusts nothing in the file, writing that is atomic.
import type { FileHandle } from 'node:fs/promises';
import { endianness } from 'node:os';
import { reasonOf, SplitgrowError } from '../errors.js';
import { writeFileAtomic } from '../machine/files/atomic.js';
import { openFile, readFully } from '../machine/files/file.js';
import { otherKindOf } from '../machine/files/file-kind.js';
import { isRecord, parseStrictJson } from '../machine/files/json.js';
import type { DType, TensorData, TensorMap } from '../native/face.js';
import { changedText, DIGEST_KEY, tensorDigest } from './tensor-digest.js';
import { WIDENED } from './widen.js';

/** Tensor types we map, with their name in the file and bytes an element. */
const TYPES: Readonly<Record<DType, { readonly tag: string; readonly bytes: number }>> = {
  float32: { tag: 'F32', bytes: 4 },
  float64: { tag: 'F64', bytes: 8 },
  int64: { tag: 'I64', bytes: 8 },
  int32: { tag: 'I32', bytes: 4 },
  uint8: { tag: 'U8', bytes: 1 },
  bool: { tag: 'BOOL', bytes: 1 },
};

/** Element types of a file: bytes of each, the type that they become, and the conversion if that is another type. */
interface Stored {
  readonly bytes: number;
  readonly dtype: DType;
  readonly widen?: (data: Uint8Array) => Uint8Array;
}
const STORED: ReadonlyMap<string, Stored> = new Map<string, Stored>([
  ...(Object.keys(TYPES) as DType[]).map((dtype): [string, Stored] => [
    TYPES[dtype].tag,
    { bytes: TYPES[dtype].bytes, dtype },
  ]),
  ...Object.entries(WIDENED),
]);

const LENGTH_BYTES = 8;
/** The limit of the reference implementation. */
const MAX_HEADER = 100_000_000;
const MAX_DIMENSIONS = 8;
const MAX_NAME = 1_000;
const METADATA = '__metadata__';

interface Entry {
  readonly name: string;
  /** Its type, as the file names it. */
  readonly tag: string;
  readonly stored: Stored;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Bytes of an element of this type. */
export function bytesPerElement(dtype: DType): number {
  return TYPES[dtype].bytes;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}

/** A value, shortened for a message. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

type Refuse = (problem: string) => SplitgrowError;

function parseEntry(name: string, value: unknown, refuse: Refuse): Entry {
  const at = `tensor ${shown(name)}`;
  if (name.length === 0 || name.length > MAX_NAME)
    throw refuse(`${at}: expected a name of 1 to ${MAX_NAME} characters`);
  if (!isRecord(value)) throw refuse(`${at}: expected an object, got ${shown(value)}`);
  const unknown = Object.keys(value).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key));
  if (unknown !== undefined) throw refuse(`${at}: unknown field ${shown(unknown)}`);
  const { dtype: tag, shape, data_offsets: offsets } = value;
  const stored = typeof tag === 'string' ? STORED.get(tag) : undefined;
  if (!stored) {
    throw refuse(
      `${at}: expected dtype ${[...STORED.keys()].join(', ')}, got ${shown(tag)}; save the tensor as float32 (in PyTorch: .float())`,
    );
  }
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS || !shape.every(isSize)) {
    throw refuse(`${at}: expected a shape of at most ${MAX_DIMENSIONS} sizes, got ${shown(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw refuse(`${at}: expected data_offsets [begin, end], got ${shown(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  // A product that leaves the safe range never comes back, unless by a zero, which makes it empty anyway.
  const bytes = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, stored.bytes);
  if (end < begin || end - begin !== bytes) {
    throw refuse(
      `${at}: shape ${shown(shape)} of ${tag} takes ${bytes} bytes, data_offsets give ${shown(offsets)}`,
    );
  }
  return { name, tag: String(tag), stored, shape: shape as number[], begin, end };
}

interface Header {
  /** In the order of their bytes, which fill the data exactly. */
  readonly entries: readonly Entry[];
  /** The digest that the file states of its tensors; null where it states none, as files of other tools. */
  readonly digest: string | null;
}

function parseHeader(bytes: Uint8Array, dataBytes: number, refuse: Refuse): Header {
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.startsWith('{')) throw new SyntaxError('it does not begin with {');
    header = parseStrictJson(text);
  } catch (error) {
    throw refuse(`the header is not strict UTF-8 JSON: ${reasonOf(error)}`);
  }
  if (!isRecord(header)) throw refuse('the header is not an object');
  const metadata = Object.hasOwn(header, METADATA) ? header[METADATA] : {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw refuse(`${METADATA}: expected texts by name`);
  }
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => parseEntry(name, value, refuse))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== at)
      throw refuse(`tensor ${shown(name)}: begins at ${begin}, expected ${at} (no gaps, no overlaps)`);
    at = end;
  }
  if (at !== dataBytes) throw refuse(`the tensors take ${at} bytes, the file holds ${dataBytes}`);
  return { entries, digest: Object.hasOwn(metadata, DIGEST_KEY) ? String(metadata[DIGEST_KEY]) : null };
}

/** Exactly `length` bytes from `position`. */
async function readExactly(
  handle: FileHandle,
  position: number,
  length: number,
  refuse: Refuse,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const read = await readFully(handle, bytes, position);
  if (read < length) throw refuse(`the file ends after ${position + read} bytes`);
  return bytes;
}

async function readTensors(path: string, handle: FileHandle): Promise<TensorMap> {
  const refuse: Refuse = (problem) => new SplitgrowError('E_SAFETENSORS', `${path}: ${problem}`);
  const { size } = await handle.stat();
  if (size < LENGTH_BYTES) throw refuse(`expected at least ${LENGTH_BYTES} bytes, found ${size}`);
  const prefix = await readExactly(handle, 0, LENGTH_BYTES, refuse);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER, size - LENGTH_BYTES))) {
    throw refuse(`the header's length is given as ${length}, the file has ${size} bytes`);
  }
  const start = LENGTH_BYTES + Number(length);
  const { entries, digest: want } = parseHeader(
    await readExactly(handle, LENGTH_BYTES, Number(length), refuse),
    size - start,
    refuse,
  );
  const tensors = new Map<string, TensorData>();
  const digest = want === null ? null : tensorDigest();
  for (const { name, tag, stored, shape, begin, end } of entries) {
    // A new buffer, so that typed views of the data are aligned.
    const data = await readExactly(handle, start + begin, end - begin, refuse);
    await digest?.add(name, tag, shape, data);
    const { dtype, widen } = stored;
    if (dtype === 'bool' && data.some((byte) => byte > 1)) {
      throw refuse(`tensor ${shown(name)}: a BOOL is neither 0 nor 1`);
    }
    tensors.set(name, { dtype, shape, data: widen === undefined ? data : widen(data) });
  }
  const found = digest?.value() ?? null;
  if (want !== null && found !== null && found !== want) throw refuse(changedText(want, found));
  return tensors;
}

/** The message for a file that cannot be read as tensors: what the file is, if its first bytes tell that, else what is wrong. */
async function explained(path: string, error: SplitgrowError): Promise<SplitgrowError> {
  const kind = error.code === 'E_SAFETENSORS' ? await otherKindOf(path, 'tensors') : null;
  if (kind === null) return error;
  return new SplitgrowError('E_SAFETENSORS', `${path}: expected a safetensors file; ${kind}`, {
    cause: error,
  });
}

/**
 * Every tensor of a file, in the order of their bytes. Types that LibTorch's side has no use for become wider ones without
 * loss: float16 and bfloat16 float32, small and unsigned integers int32 or int64. Files that state a digest of themselves, as
 * those of `writeSafetensors` do, are held against it. Throws E_FILE or E_SAFETENSORS.
 */
export async function readSafetensors(path: string): Promise<TensorMap> {
  let handle: FileHandle | null = null;
  try {
    handle = await openFile(path);
    return await readTensors(path, handle);
  } catch (error) {
    if (error instanceof SplitgrowError) throw await explained(path, error);
    const reason = reasonOf(error);
    throw new SplitgrowError('E_FILE', `cannot read ${path}: ${reason}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

/** Larger elements first, then by name: every tensor is aligned, and equal maps give equal files. */
function inFileOrder(tensors: TensorMap): [string, TensorData][] {
  return [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      TYPES[b.dtype].bytes - TYPES[a.dtype].bytes || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0),
  );
}

/** Writes the tensors atomically, with their digest. Throws E_ARGUMENT for data that does not fit its shape, E_WRITE. */
export async function writeSafetensors(
  path: string,
  tensors: TensorMap,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  if (endianness() !== 'LE')
    throw new SplitgrowError('E_ARGUMENT', 'safetensors needs a little-endian machine');
  // The metadata come first; they are filled in below.
  const header: Record<string, unknown> = Object.assign(Object.create(null), { [METADATA]: {} });
  const digest = tensorDigest();
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const [name, { dtype, shape, data }] of inFileOrder(tensors)) {
    const bytes = shape.reduce((product, size) => product * size, TYPES[dtype].bytes);
    if (name === METADATA || name.length === 0 || name.length > MAX_NAME || bytes !== data.byteLength) {
      throw new SplitgrowError(
        'E_ARGUMENT',
        `tensor ${shown(name)}: ${dtype} ${shown(shape)} takes ${bytes} bytes, got ${data.byteLength}`,
      );
    }
    const { tag } = TYPES[dtype];
    header[name] = { dtype: tag, shape, data_offsets: [at, at + bytes] };
    await digest.add(name, tag, shape, data);
    chunks.push(data);
    at += bytes;
  }
  header[METADATA] = { ...metadata, [DIGEST_KEY]: digest.value() };
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES, ' ');
  json.copy(padded);
  const prefix = Buffer.alloc(LENGTH_BYTES);
  prefix.writeBigUInt64LE(BigInt(padded.length));
  await writeFileAtomic(path, [prefix, padded, ...chunks]);
}
