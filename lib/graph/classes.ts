// Names of the classes that a network tells apart: what a name may be, and graphs with names.
import { show } from './fields.js';
import type { Graph } from './ir.js';

/** Characters of a name; the longest of ImageNet's have about 130. */
export const MAX_CLASS_NAME = 500;

/** What a class name must be, where `name` is not that; undefined where it is. */
export function wrongName(name: unknown): string | undefined {
  const isFine =
    typeof name === 'string' &&
    name.trim() !== '' &&
    name.length <= MAX_CLASS_NAME &&
    !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name);
  return isFine
    ? undefined
    : `must be one line of 1 to ${MAX_CLASS_NAME} characters, not all of them blanks, got ${show(name)}`;
}

/** The first name that comes again, and where; null where all are different. */
export function repeatedName(
  names: readonly string[],
): { readonly name: string; readonly first: number; readonly second: number } | null {
  const seen = new Map<string, number>();
  for (const [second, name] of names.entries()) {
    const first = seen.get(name);
    if (first !== undefined) return { name, first, second };
    seen.set(name, second);
  }
  return null;
}

/** The graph with these class names, or with none, its fields in the order in which they are written. */
export function withClasses(graph: Graph, classes: readonly string[] | undefined): Graph {
  const { format, name, input, nodes, output } = graph;
  return { format, name, input, ...(classes && { classes: [...classes] }), nodes, output };
}

/** A name that may be written: on one line, not too long; `at` where nothing is left of it. */
function cleaned(name: string, at: number): string {
  const line = name.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.slice(0, MAX_CLASS_NAME).trim() || `class ${at}`;
}

/**
 * Names as they may be written: those of datasets and folders may be anything, and ImageNet has two cranes. Names that
 * come again get the number of their class behind them, and where that is another's name, all do.
 */
export function writableNames(names: readonly string[]): readonly string[] {
  const plain = names.map(cleaned);
  const counts = new Map<string, number>();
  for (const name of plain) counts.set(name, (counts.get(name) ?? 0) + 1);
  const numbered = (name: string, at: number): string => {
    const number = ` (${at})`;
    return `${name.slice(0, MAX_CLASS_NAME - number.length)}${number}`;
  };
  const few = plain.map((name, at) => ((counts.get(name) ?? 0) > 1 ? numbered(name, at) : name));
  return repeatedName(few) === null ? few : plain.map(numbered);
}
