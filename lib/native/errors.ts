// Errors of the addon as SplitgrowErrors.
import { CODES, type ErrorCode, reasonOf, SplitgrowError } from '../errors.js';

/** A native error as a SplitgrowError: its code when it is one of ours, else E_NATIVE. */
function converted(error: unknown): SplitgrowError {
  if (error instanceof SplitgrowError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = reasonOf(error);
  const known = Object.hasOwn(CODES, code) ? (code as ErrorCode) : 'E_NATIVE';
  return new SplitgrowError(known, message, { cause: error });
}

/**
 * The same functions, their errors converted, thrown or rejected alike.
 * @param before Called before each of them.
 */
export function wrap(
  exports: Readonly<Record<string, unknown>>,
  before: () => void = () => undefined,
): Readonly<Record<string, unknown>> {
  const wrapped: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'function') continue;
    wrapped[name] = (...parameters: unknown[]): unknown => {
      try {
        before();
        const result: unknown = value(...parameters);
        if (!(result instanceof Promise)) return result;
        return result.catch((error: unknown) => {
          throw converted(error);
        });
      } catch (error) {
        throw converted(error);
      }
    };
  }
  return wrapped;
}
