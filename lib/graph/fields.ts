// Kinds of node fields, and how a wrong value or an unknown name is explained.
import { distance } from 'fastest-levenshtein';
import type { FieldValue, GraphNode } from './ir.js';

/** A default that is a value, or that follows from the node's other fields. */
type Default = FieldValue | ((node: GraphNode) => FieldValue);

interface Optional {
  /** Without a default the field is required. */
  readonly default?: Default;
  /** What it means, in a few words: for the JSON Schemas. */
  readonly about: string;
}

/** One field of an op: its kind, its limits and its default. */
export type Field = Optional &
  (
    | { readonly kind: 'integer'; readonly min: number; readonly max: number }
    /** A finite number, min <= value <= max (or < where `below` is given). */
    | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly below?: number }
    | { readonly kind: 'boolean' }
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
  );

/** Looks up an own property of a table, so that names such as "constructor" find nothing. */
export function row<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Edits from one name to another, capital letters being equal to small ones. */
const edits = (one: string, other: string): number => distance(one.toLowerCase(), other.toLowerCase());

/**
 * '; did you mean "blocks"?' for the known name nearest to `word`, or an empty text where nothing is known.
 *
 * @param names Whether ' known: blocks, width' follows: where no name is near (and there are 16 or fewer), always, or never as
 *   the message lists the names already. It then names none that is far.
 */
export function didYouMean(
  word: string,
  known: readonly string[],
  names: 'where none is near' | 'always' | 'never' = 'where none is near',
): string {
  const short = word.slice(0, 64);
  const [near] = [...known].sort((a, b) => edits(a, short) - edits(b, short));
  if (near === undefined) return '';
  const isNear = edits(near, short) <= Math.max(2, Math.floor(near.length / 3));
  if (names === 'never') return isNear ? `; did you mean "${near}"?` : '';
  const isListed = names === 'always' || (!isNear && known.length <= 16);
  return `; did you mean "${near}"?${isListed ? ` known: ${known.join(', ')}` : ''}`;
}

/** A received value in a few characters: bounded and on one line, however hostile it is. */
export function show(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') {
    const text = JSON.stringify(value.slice(0, 40));
    return value.length > 40 ? `${text.slice(0, -1)}…"` : text;
  }
  if (typeof value === 'object') return 'an object';
  return value === undefined ? 'nothing' : String(value);
}

/** What is expected of a field's value, where `value` is not that; undefined where it is. */
export function complaint(field: Field, value: unknown): string | undefined {
  switch (field.kind) {
    case 'integer': {
      const isFine = Number.isInteger(value) && Number(value) >= field.min && Number(value) <= field.max;
      return isFine ? undefined : `must be an integer from ${field.min} to ${field.max}, got ${show(value)}`;
    }
    case 'number': {
      const below = field.below ?? Number.POSITIVE_INFINITY;
      const isFine =
        typeof value === 'number' &&
        Number.isFinite(value) &&
        value >= field.min &&
        value <= field.max &&
        value < below;
      const range = field.below === undefined ? `to ${field.max}` : `to below ${field.below}`;
      return isFine ? undefined : `must be a number from ${field.min} ${range}, got ${show(value)}`;
    }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be true or false, got ${show(value)}`;
    case 'choice': {
      if (typeof value === 'string' && field.choices.includes(value)) return undefined;
      const near = typeof value === 'string' ? didYouMean(value, field.choices, 'never') : '';
      return `must be one of ${field.choices.join(', ')}, got ${show(value)}${near}`;
    }
  }
}
