// Kinds of node fields, and how a wrong value or an unknown name is explained.
import { closest, distance } from 'fastest-levenshtein';
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

/** '; the nearest is "x"' among the known names, with a short list of them where none is near. */
export function hint(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const short = name.slice(0, 64);
  const near = closest(short, known);
  const isNear = distance(short, near) <= Math.max(2, Math.floor(near.length / 3));
  const among = isNear || known.length > 16 ? '' : ` of ${known.join(', ')}`;
  return `; the nearest${among} is "${near}"`;
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
      const near = typeof value === 'string' ? hint(value, field.choices) : '';
      return `must be one of ${field.choices.join(', ')}, got ${show(value)}${near}`;
    }
  }
}
