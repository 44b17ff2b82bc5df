// Labels in users' tensors become int64. They may be whole numbers of any type.
import { type ErrorCode, SplitgrowError } from '../errors.js';
import type { DType, TensorData } from '../native/face.js';
import { toLabels } from './parts.js';

/** Readers of the integer types that labels may have; smaller and unsigned ones are widened as the file is read. */
const INTEGERS: Partial<Record<DType, (data: Uint8Array) => Iterable<number>>> = {
  int64: (data) => Array.from(new BigInt64Array(data.buffer, data.byteOffset, data.byteLength / 8), Number),
  int32: (data) => new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4),
  uint8: (data) => data,
};

/** How labels of another kind become whole numbers. */
function hint(name: string, { dtype, shape }: TensorData, count: number): string {
  const [first, second] = shape;
  if (shape.length === 2 && first === count && (second ?? 0) > 1)
    return `; of one number a class, take ${name}.argmax(1)`;
  if (shape.length === 2 && first === count) return `; take ${name}[:, 0]`;
  if (dtype.startsWith('float') || dtype === 'bool')
    return `; save whole numbers, in NumPy: ${name}.astype("int64"), in PyTorch: ${name}.long()`;
  return '';
}

/**
 * One label an image, int64. @throws with `code` where there are not `count` whole numbers, E_LABELS where one is not below `classes`
 */
export function labelsOf(
  labels: TensorData | undefined,
  count: number,
  at: {
    readonly name: string;
    readonly place: string;
    readonly classes: number;
    readonly code: ErrorCode;
  },
): TensorData {
  const { name, place, classes, code } = at;
  const integers = labels && INTEGERS[labels.dtype];
  if (labels !== undefined && integers !== undefined && labels.shape.join() === String(count))
    return toLabels(integers(labels.data), count, { classes, where: `${place}: ${name}` });
  const found = labels === undefined ? 'no such tensor' : `${labels.dtype} [${labels.shape.join(', ')}]`;
  const remedy = labels === undefined ? '' : hint(name, labels, count);
  throw new SplitgrowError(code, `${place}: expected "${name}" int64 [${count}], got ${found}${remedy}`);
}
