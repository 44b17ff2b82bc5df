// Numbers that a float32 can hold: tensors are of that type, so what is larger would become infinite and what is smaller 0.

/** True for 0 and for what float32 rounds to a finite number other than 0. */
export function isFloat32(value: number): boolean {
  const rounded = Math.fround(value);
  return Number.isFinite(rounded) && (value === 0 || rounded !== 0);
}

/** What is expected of a number that is none of them. */
export const FLOAT32 = 'a number that float32 holds (0, or from 1.5e-45 to 3.4e38 in size)';
