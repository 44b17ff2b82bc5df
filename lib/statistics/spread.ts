// Mean and sample standard deviation over seeds.
import { SplitgrowError } from '../errors.js';

export interface Spread {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n - 1); null for a single value, which has none. */
  readonly sd: number | null;
}

/** Standard error of the mean; null for a single value. */
export function standardError({ n, sd }: Spread): number | null {
  return sd === null ? null : sd / Math.sqrt(n);
}

/** Mean and standard deviation of `values`, in two passes; null for no values. @throws E_ARGUMENT for one that is not finite */
export function spread(values: readonly number[]): Spread | null {
  const n = values.length;
  if (n === 0) return null;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new SplitgrowError('E_ARGUMENT', `value ${wrong}: expected a finite number, got ${values[wrong]}`);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, sd: n > 1 ? Math.sqrt(squares / (n - 1)) : null };
}

/** Likewise where some values may be unknown: null unless every one is known. */
export function spreadOfKnown(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  return known.length === values.length ? spread(known) : null;
}
