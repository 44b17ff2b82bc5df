// `--set path=value`: overrides of an experiment's fields.

import { SplitgrowError } from '../../errors.js';
import { parseStrictJson } from '../../machine/files/json.js';

/** Names of a path; no field lies as deep. */
const MOST_NAMES = 32;

/** JSON where it parses, else the text itself. @throws E_EXPERIMENT for JSON with a name twice in one object */
function parsed(text: string, whole: string): unknown {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  try {
    return parseStrictJson(text);
  } catch (cause) {
    throw new SplitgrowError('E_EXPERIMENT', `--set ${whole}: ${(cause as Error).message}`, { cause });
  }
}

function assign(json: unknown, path: readonly string[], value: unknown, whole: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(json)) {
    const at = Number(key);
    if (!Number.isInteger(at) || at < 0 || at > json.length) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `--set ${whole}: "${key}" is no position in a list of ${json.length}`,
      );
    }
    const copy: unknown[] = [...json];
    copy[at] = assign(copy[at], rest, value, whole);
    return copy;
  }
  const record = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  const inner = Object.hasOwn(record, key) ? record[key] : undefined;
  return { ...record, [key]: assign(inner, rest, value, whole) };
}

/** A copy of `json` with every `path=value` set, in order; the experiment's check comes after. */
export function applyOverrides(json: unknown, overrides: readonly string[]): unknown {
  return overrides.reduce((current: unknown, override) => {
    const at = override.indexOf('=');
    const path = override.slice(0, Math.max(at, 0)).trim();
    if (path === '' || path.split('.').includes('')) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `--set ${override}: expected path=value, such as fit.epochs=10`,
      );
    }
    if (path.split('.').length > MOST_NAMES) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `--set ${path.slice(0, 60)}...: expected a path of at most ${MOST_NAMES} names`,
      );
    }
    return assign(current, path.split('.'), parsed(override.slice(at + 1), override), override);
  }, json);
}
