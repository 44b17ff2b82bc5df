// Safetensors files that are right and wrong: what the tests refuse, and where fuzzing begins.
import type { TensorData, TensorMap } from '../../lib/native/face.js';

function bytesOf(values: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Every type, odd sizes, no elements, no axes, a name that objects have. */
export const TENSORS: TensorMap = new Map<string, TensorData>([
  ['odd', { dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['b.weight', { dtype: 'float32', shape: [2, 2], data: bytesOf(Float32Array.of(1, -2.5, 1e-30, 3e30)) }],
  ['a.weight', { dtype: 'float64', shape: [1], data: bytesOf(Float64Array.of(Math.PI)) }],
  ['labels', { dtype: 'int64', shape: [2], data: bytesOf(BigInt64Array.of(-1n, 2n ** 62n)) }],
  ['small', { dtype: 'int32', shape: [1, 1], data: bytesOf(Int32Array.of(-7)) }],
  ['flags', { dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }],
  ['empty', { dtype: 'float32', shape: [0, 5], data: new Uint8Array() }],
  ['scalar', { dtype: 'float32', shape: [], data: bytesOf(Float32Array.of(4)) }],
  ['__proto__', { dtype: 'uint8', shape: [1], data: Uint8Array.of(9) }],
]);

/** The bytes of a file with this header and this many bytes of data. */
export function fileOf(header: string | Buffer, dataBytes = 0, declared?: bigint): Buffer {
  const json = Buffer.from(header as string);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(declared ?? BigInt(json.length));
  return Buffer.concat([prefix, json, Buffer.alloc(dataBytes, 2)]);
}

/** A float32 tensor of two numbers, with fields replaced. */
export function entry(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields });
}

/** What is wrong, the file, and what the refusal must say. */
export const MALFORMED: readonly (readonly [string, Buffer, RegExp])[] = [
  ['nothing at all', Buffer.alloc(0), /it is empty/],
  ['half a length', Buffer.alloc(5), /at least 8 bytes/],
  ['a header longer than the file', fileOf('{}', 0, 100n), /header's length/],
  ['a header of 2^63 bytes', fileOf('{}', 0, 2n ** 63n), /header's length/],
  ['a header of 2^64 - 1 bytes', fileOf('{}', 0, 2n ** 64n - 1n), /header's length/],
  ['an empty header', fileOf(''), /does not begin/],
  ['blanks before the header', fileOf(' {}'), /does not begin/],
  ['a byte order mark', fileOf('\ufeff{}'), /does not begin/],
  ['a header that is a list', fileOf('[]'), /does not begin/],
  ['a header cut off', fileOf('{"a":'), /strict UTF-8 JSON/],
  ['a trailing comma', fileOf('{"a":1,}'), /strict UTF-8 JSON/],
  ['two documents', fileOf('{}{}'), /strict UTF-8 JSON/],
  [
    'invalid UTF-8',
    fileOf(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
    /strict UTF-8 JSON/,
  ],
  ['brackets nested 1,000,000 deep', fileOf(`{"a":${'['.repeat(1_000_000)}`), /E_SAFETENSORS/],
  ['a tensor given twice', fileOf(`{"a":${entry()},"a":${entry()}}`, 8), /"a" is given twice/],
  [
    'the same name in two spellings',
    fileOf(`{"a":${entry()},"\\u0061":${entry()}}`, 8),
    /"a" is given twice/,
  ],
  [
    'a field given twice',
    fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8),
    /"dtype" is given twice/,
  ],
  ['a tensor that is a number', fileOf('{"a":1}'), /expected an object/],
  ['a tensor that is null', fileOf('{"a":null}'), /expected an object/],
  ['an empty name', fileOf(`{"":${entry()}}`, 8), /expected a name/],
  ['a name of 2,000 characters', fileOf(`{"${'n'.repeat(2000)}":${entry()}}`, 8), /expected a name/],
  ['an unknown field', fileOf(`{"a":${entry({ offset: 1 })}}`, 8), /unknown field "offset"/],
  [
    'an unknown type',
    fileOf(`{"a":${entry({ dtype: 'F8_E4M3' })}}`, 8),
    /expected dtype F32.*got "F8_E4M3"; .*\.float\(\)/,
  ],
  [
    'a type named like an object member',
    fileOf(`{"a":${entry({ dtype: 'constructor' })}}`, 8),
    /expected dtype/,
  ],
  ['a type that is a number', fileOf(`{"a":${entry({ dtype: 4 })}}`, 8), /expected dtype/],
  ['no shape', fileOf('{"a":{"dtype":"F32","data_offsets":[0,8]}}', 8), /expected a shape/],
  ['a negative size', fileOf(`{"a":${entry({ shape: [-2] })}}`, 8), /expected a shape/],
  ['a size that is a fraction', fileOf(`{"a":${entry({ shape: [0.5] })}}`, 8), /expected a shape/],
  ['a size that is a text', fileOf(`{"a":${entry({ shape: ['2'] })}}`, 8), /expected a shape/],
  [
    'a size beyond 2^53',
    fileOf('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]}}', 8),
    /expected a shape/,
  ],
  [
    'sizes whose product overflows',
    fileOf(`{"a":${entry({ shape: [2 ** 40, 2 ** 40] })}}`, 8),
    /takes .* bytes/,
  ],
  [
    'sizes whose product wraps to 8 in 64 bits',
    fileOf(`{"a":${entry({ shape: [2 ** 52, 2 ** 10, 2] })}}`, 8),
    /takes .* bytes/,
  ],
  ['100 axes', fileOf(`{"a":${entry({ shape: Array(100).fill(1) })}}`, 8), /at most 8 sizes/],
  ['one offset', fileOf(`{"a":${entry({ data_offsets: [0] })}}`, 8), /data_offsets \[begin, end\]/],
  ['offsets backwards', fileOf(`{"a":${entry({ data_offsets: [8, 0] })}}`, 8), /data_offsets give/],
  [
    'a negative offset',
    fileOf(`{"a":${entry({ data_offsets: [-8, 0] })}}`, 8),
    /data_offsets \[begin, end\]/,
  ],
  [
    'an offset that is NaN in disguise',
    fileOf(`{"a":${entry({ data_offsets: [null, 8] })}}`, 8),
    /data_offsets \[begin, end\]/,
  ],
  ['offsets beyond the file', fileOf(`{"a":${entry()}}`, 4), /take 8 bytes, the file holds 4/],
  ['bytes that belong to no tensor', fileOf(`{"a":${entry()}}`, 12), /take 8 bytes, the file holds 12/],
  [
    'a gap before the first tensor',
    fileOf(`{"a":${entry({ data_offsets: [4, 12] })}}`, 12),
    /begins at 4, expected 0/,
  ],
  [
    'a gap between tensors',
    fileOf(`{"a":${entry()},"b":${entry({ data_offsets: [12, 20] })}}`, 20),
    /begins at 12, expected 8/,
  ],
  [
    'tensors that overlap',
    fileOf(`{"a":${entry()},"b":${entry({ data_offsets: [4, 12] })}}`, 12),
    /begins at 4, expected 8/,
  ],
  ['two tensors in the same bytes', fileOf(`{"a":${entry()},"b":${entry()}}`, 8), /begins at 0, expected 8/],
  ['a shape that does not fit its bytes', fileOf(`{"a":${entry({ shape: [3] })}}`, 8), /takes 12 bytes/],
  ['metadata that is a list', fileOf('{"__metadata__":[]}'), /expected texts by name/],
  ['metadata with a number', fileOf('{"__metadata__":{"a":1}}'), /expected texts by name/],
  [
    'a truth value of 2',
    fileOf(`{"a":${entry({ dtype: 'BOOL', data_offsets: [0, 2] })}}`, 2),
    /neither 0 nor 1/,
  ],
];
