// Types of tensors in users' files that splitgrow does not compute with. Each becomes a wider type that holds all its values.
import { SplitgrowError } from '../errors.js';
import type { DType, TensorData } from '../native/face.js';

interface Widened {
  /** Of an element, in the file. */
  readonly bytes: number;
  readonly dtype: DType;
  /** Little-endian in, little-endian out; the input begins at a multiple of its element's size. */
  readonly widen: (data: Uint8Array) => Uint8Array;
}

type Words = Int8Array | Int16Array | Uint16Array | Uint32Array | BigUint64Array;
type Numbers = { readonly BYTES_PER_ELEMENT: number };
type View<T> = Numbers & (new (buffer: ArrayBufferLike, offset: number, length: number) => T);

function viewOf<T extends Words>(View: View<T>, data: Uint8Array): T {
  return new View(data.buffer, data.byteOffset, data.byteLength / View.BYTES_PER_ELEMENT);
}

const bytesOf = ({ buffer }: { readonly buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(buffer);

/** The bits of the float32 that a float16 of these bits is (IEEE 754: 1 sign, 5 exponent, 10 fraction). */
function floatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const [exponent, fraction] = [(half >> 10) & 0x1f, half & 0x3ff];
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // A subnormal half is a normal float32: its first set bit becomes the hidden one.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

let halves: Uint32Array | null = null;

function fromHalf(data: Uint8Array): Uint8Array {
  halves ??= Uint32Array.from({ length: 2 ** 16 }, (_, half) => floatBits(half));
  const words = new Uint32Array(viewOf(Uint16Array, data));
  // A loop is ten times as fast as Uint32Array.from with a function.
  for (let i = 0; i < words.length; i += 1) words[i] = halves[words[i] ?? 0] ?? 0;
  return bytesOf(words);
}

function fromBfloat(data: Uint8Array): Uint8Array {
  const words = new Uint32Array(viewOf(Uint16Array, data));
  for (let i = 0; i < words.length; i += 1) words[i] = (words[i] ?? 0) << 16;
  return bytesOf(words);
}

const toInt32 =
  (View: View<Int8Array | Int16Array | Uint16Array>) =>
  (data: Uint8Array): Uint8Array =>
    bytesOf(new Int32Array(viewOf(View, data)));

/** By the name that safetensors has for them. Values of U64 from 2^63 on become negative, which no reader takes. */
export const WIDENED: Readonly<Record<string, Widened>> = {
  F16: { bytes: 2, dtype: 'float32', widen: fromHalf },
  BF16: { bytes: 2, dtype: 'float32', widen: fromBfloat },
  I8: { bytes: 1, dtype: 'int32', widen: toInt32(Int8Array) },
  I16: { bytes: 2, dtype: 'int32', widen: toInt32(Int16Array) },
  U16: { bytes: 2, dtype: 'int32', widen: toInt32(Uint16Array) },
  U32: {
    bytes: 4,
    dtype: 'int64',
    widen: (data) => bytesOf(BigInt64Array.from(viewOf(Uint32Array, data), BigInt)),
  },
  U64: { bytes: 8, dtype: 'int64', widen: (data) => data },
};

/**
 * A float64 tensor as float32, each value rounded to the nearest; any other as it is. @throws with `code` where a finite value is
 * beyond what float32 holds; `name` is the tensor's
 */
export function narrowed(
  tensor: TensorData,
  {
    code,
    place,
    name,
  }: {
    readonly code: 'E_WEIGHTS' | 'E_BATCH' | 'E_DATA' | 'E_DIRECTIONS';
    readonly place: string;
    readonly name: string;
  },
): TensorData {
  if (tensor.dtype !== 'float64') return tensor;
  const { data, shape } = tensor;
  const values = new Float64Array(data.buffer, data.byteOffset, data.byteLength / 8);
  const floats = new Float32Array(values);
  const at = values.findIndex((value, i) => Number.isFinite(value) && !Number.isFinite(floats[i]));
  if (at < 0) return { dtype: 'float32', shape, data: bytesOf(floats) };
  throw new SplitgrowError(
    code,
    `${place}: expected "${name}" of numbers that float32 holds, at most 3.4e38, found ${values[at]} at element ${at}; scale it before it is saved`,
  );
}
