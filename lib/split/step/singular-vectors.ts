// The right singular vectors of a small matrix, by one-sided Jacobi rotations (Hestenes 1958).
import { lengthOf } from './neuron-weights.js';

/** Sweeps after which it ends in any case; a dozen are enough for numbers in double. */
const MOST_SWEEPS = 60;
/** Cosine below which two vectors count as orthogonal. */
const ORTHOGONAL = 1e-13;

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

/** Makes vectors orthogonal in place by rotating them pair by pair; what is carried is rotated alike. */
function orthogonalised(vectors: readonly Float64Array[], carried: readonly Float64Array[]): void {
  for (let sweep = 0, isDone = false; sweep < MOST_SWEEPS && !isDone; sweep += 1) {
    isDone = true;
    for (const [i, a] of vectors.entries()) {
      for (const [k, b] of vectors.slice(i + 1).entries()) {
        const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
        if (Math.abs(ab) <= ORTHOGONAL * Math.sqrt(aa * bb)) continue;
        isDone = false;
        const zeta = (bb - aa) / (2 * ab);
        const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta ** 2));
        const cosine = 1 / Math.sqrt(1 + tangent ** 2);
        rotate(a, b, cosine, cosine * tangent);
        const [u, v] = [carried[i], carried[i + 1 + k]];
        if (u !== undefined && v !== undefined) rotate(u, v, cosine, cosine * tangent);
      }
    }
  }
}

/** The vector over its length, its largest number positive; null for one of no length. */
function unit(vector: Float64Array): Float64Array | null {
  const length = lengthOf(vector);
  if (!(length > 0)) return null;
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return vector.map((value) => (Math.sign(largest) * value) / length);
}

/** The matrix of the given rows: its right singular vectors, that of the largest singular value first; none for values of 0. */
export function rightSingularVectors(rows: readonly Float64Array[]): readonly Float64Array[] {
  const width = rows[0]?.length ?? 0;
  const isWide = rows.length <= width;
  // Orthogonal rows Q M are singular values times right vectors; of columns M V, the rotations V are the right vectors.
  const vectors = isWide
    ? rows.map((row) => row.slice())
    : Array.from({ length: width }, (_, c) => Float64Array.from(rows, (row) => row[c] ?? 0));
  const turned = isWide
    ? []
    : vectors.map((_, i) => Float64Array.from({ length: width }, (_none, c) => (c === i ? 1 : 0)));
  orthogonalised(vectors, turned);
  const values = vectors.map(lengthOf);
  return values
    .map((value, i) => ({ value, i }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value || a.i - b.i)
    .flatMap(({ i }) => unit((isWide ? vectors : turned)[i] ?? new Float64Array(0)) ?? []);
}
