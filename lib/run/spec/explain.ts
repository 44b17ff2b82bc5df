// What is wrong with an experiment, in one line: the field, what was expected, and the nearest known name.

import type { z } from 'zod';
import { didYouMean, row } from '../../graph/fields.js';

type Path = readonly PropertyKey[];

/** Without defaults, and with the variant that the value belongs to. */
function unwrap(schema: z.core.$ZodType, value: unknown): z.core.$ZodTypes {
  const known = schema as z.core.$ZodTypes;
  const def = known._zod.def;
  if (
    def.type === 'default' ||
    def.type === 'prefault' ||
    def.type === 'optional' ||
    def.type === 'nullable'
  ) {
    return unwrap(def.innerType, value);
  }
  if (def.type === 'union' && 'discriminator' in def) {
    const { discriminator } = def as z.core.$ZodDiscriminatedUnionDef;
    const kind = memberOf(value, discriminator);
    const option = def.options.find((one) => valuesAt(one, discriminator).includes(kind));
    if (option !== undefined) return unwrap(option, value);
  }
  return known;
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

/** The literal values that a member of an object may take. */
function valuesAt(schema: z.core.$ZodType, key: string): readonly unknown[] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  if (def.type !== 'object') return [];
  const member = row(def.shape, key);
  return member?._zod.values === undefined ? [] : [...member._zod.values];
}

/** The schema and the value at a path. */
function at(
  schema: z.core.$ZodType,
  value: unknown,
  path: Path,
): { schema: z.core.$ZodTypes; value: unknown } {
  const here = unwrap(schema, value);
  const [key, ...rest] = path;
  const def = here._zod.def;
  if (key === undefined) return { schema: here, value };
  if (def.type === 'object') {
    const member = row(def.shape, String(key));
    if (member !== undefined) return at(member, memberOf(value, key), rest);
  }
  if (def.type === 'array') return at(def.element, memberOf(value, key), rest);
  return { schema: here, value: memberOf(value, key) };
}

function keysOf(schema: z.core.$ZodTypes): readonly string[] {
  const def = schema._zod.def;
  return def.type === 'object' ? Object.keys(def.shape) : [];
}

/** The choices of a field: its own values, or those of the key that tells its variants apart. */
function choicesAt(schema: z.core.$ZodTypes, key: string | null): readonly string[] {
  const def = schema._zod.def;
  if (def.type !== 'union' || key === null) {
    return schema._zod.values === undefined ? [] : [...schema._zod.values].map(String);
  }
  return def.options.flatMap((one) => valuesAt(one, key).map(String));
}

/** As JSON, where it is any: an object of the caller's may hold what is none. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value === 'object' ? 'an object' : `${String(value)} (${typeof value})`;
  }
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : jsonOf(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function dotted(path: Path): string {
  return path.length === 0 ? 'experiment' : path.map(String).join('.');
}

/** One line about the first fault of `input`. */
export function explain(
  schema: z.core.$ZodType,
  input: unknown,
  error: z.core.$ZodError,
  prefix: Path = [],
): string {
  const order = (issue: z.core.$ZodIssue): number => (issue.code === 'unrecognized_keys' ? 0 : 1);
  const issue = [...error.issues].sort((a, b) => order(a) - order(b))[0];
  if (issue === undefined) return 'the experiment is not valid';
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  const path = [...prefix, ...issue.path];
  const here = at(schema, input, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = keysOf(here.schema);
    return `${dotted([...path, key])}: unknown field${didYouMean(key, known, 'always')}${more}`;
  }
  const discriminator =
    issue.code === 'invalid_union' && issue.path.length > 0 ? String(issue.path.at(-1)) : null;
  const parent = discriminator === null ? here : at(schema, input, issue.path.slice(0, -1));
  const choices =
    discriminator === null ? choicesAt(here.schema, null) : choicesAt(parent.schema, discriminator);
  const found = discriminator === null ? here.value : memberOf(parent.value, discriminator);
  if (choices.length > 0 && issue.code !== 'custom') {
    const hint = typeof found === 'string' ? didYouMean(found, choices, 'never') : '';
    return `${dotted(path)}: expected one of ${choices.join(', ')}, got ${show(found)}${hint}${more}`;
  }
  return `${dotted(path)}: ${expectation(issue)}, got ${show(found)}${more}`;
}

/** What zod expected, without its "Invalid input:" and its "received ...". */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') {
    const parts = issue.errors.flatMap((errors) => errors.map(expectation));
    return [...new Set(parts)].join(' or ').replaceAll(' or expected ', ' or ');
  }
  return issue.message
    .replace(/^(Invalid input|Invalid option|Too small|Too big): /, '')
    .replace(/, received .*$/, '')
    .replace('expected int', 'expected a whole number')
    .replace(
      /expected (array|string|object)/,
      (_all, type: string) => `expected ${type === 'array' ? 'a list' : type}`,
    )
    .replace(/(number|list|string) to (be|have) ([<>]=?)/, '$1 $3 ');
}
