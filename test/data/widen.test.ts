// Types of users' files: small ones widened without loss as a file is read, float64 rounded or refused.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { narrowed } from '../../lib/data/widen.js';
import type { TensorData } from '../../lib/native/face.js';
import { messageOf } from '../reference.js';
import { inFolder } from './places.js';

/** What a file with one tensor of this type and these bytes gives. */
async function read(dtype: string, shape: readonly number[], data: Uint8Array): Promise<TensorData> {
  let found: TensorData | undefined;
  await inFolder(async (folder) => {
    const header = Buffer.from(JSON.stringify({ x: { dtype, shape, data_offsets: [0, data.length] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(join(folder, 'x'), Buffer.concat([length, header, data]));
    found = (await readSafetensors(join(folder, 'x'))).get('x');
  });
  if (found === undefined) throw new Error('no tensor');
  return found;
}

const floats = ({ data }: TensorData): Float32Array => new Float32Array(data.slice().buffer);
const bytes = (view: { readonly buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(view.buffer);
const ALL = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);

/** A binary floating-point number by its definition: sign, exponent with a bias, fraction. */
function numberOf(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> (exponentBits + fractionBits) === 1 ? -1 : 1;
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

test.each([
  ['F16', 5, 10],
  ['BF16', 8, 7],
] as const)('every value of %s is the same number in float32', async (dtype, exponentBits, fractionBits) => {
  const tensor = await read(dtype, [256, 256], bytes(ALL));
  expect([tensor.dtype, tensor.shape]).toEqual(['float32', [256, 256]]);
  const got = floats(tensor);
  const wrong = ALL.filter((bits) => !Object.is(got[bits], numberOf(bits, exponentBits, fractionBits)));
  expect([...wrong]).toEqual([]);
});

test.each([
  ['I8', Int8Array.of(-128, 0, 127), 'int32', [-128, 0, 127]],
  ['I16', Int16Array.of(-32768, 7), 'int32', [-32768, 7]],
  ['U16', Uint16Array.of(0, 65535), 'int32', [0, 65535]],
  ['U32', Uint32Array.of(0, 4294967295), 'int64', [0, 4294967295]],
  ['U64', BigUint64Array.of(3n, 2n ** 40n), 'int64', [3, 2 ** 40]],
] as const)('whole numbers of type %s keep their values', async (dtype, view, becomes, values) => {
  const tensor = await read(dtype, [values.length], bytes(view));
  expect(tensor.dtype).toBe(becomes);
  const { buffer } = tensor.data.slice();
  const got = becomes === 'int32' ? new Int32Array(buffer) : Array.from(new BigInt64Array(buffer), Number);
  expect([...got]).toEqual([...values]);
});

const doubles = (...values: readonly number[]): TensorData => ({
  dtype: 'float64',
  shape: [values.length],
  data: bytes(Float64Array.from(values)),
});
const AT = { code: 'E_WEIGHTS', place: 'w.safetensors', name: 'fc.bias' } as const;

test('float64 becomes the nearest float32, infinity and NaN what they are', () => {
  const given = [Math.PI, -1e-30, 3.4e38, Number.POSITIVE_INFINITY, Number.NaN];
  const made = narrowed(doubles(...given), AT);
  expect(made).toMatchObject({ dtype: 'float32', shape: [5] });
  expect([...floats(made)]).toEqual(given.map(Math.fround));
});

test('a float64 value beyond float32 is refused by tensor and place', () => {
  expect(messageOf(() => narrowed(doubles(0, -1e39), AT))).toMatch(
    /^w\.safetensors: expected "fc\.bias" .*found -1e\+39 at element 1; scale it/,
  );
});
