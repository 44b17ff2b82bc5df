// What is wrong with an experiment, in one line: the field, what was expected, and the nearest known name.

import type { z } from 'zod';
import { didYouMean, row } from '../../graph/fields.js';

type Path = readonly PropertyKey[];

/** Without defaults. */
function bare(schema: z.core.$ZodType): z.core.$ZodTypes {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const isWrapper =
    def.type === 'default' || def.type === 'prefault' || def.type === 'optional' || def.type === 'nullable';
  return isWrapper ? bare(def.innerType) : (schema as z.core.$ZodTypes);
}

/** Without defaults, and with the variant that the value belongs to. */
function unwrap(schema: z.core.$ZodType, value: unknown): z.core.$ZodTypes {
  const known = bare(schema);
  const def = known._zod.def;
  if (def.type === 'union' && 'discriminator' in def) {
    const { discriminator } = def as z.core.$ZodDiscriminatedUnionDef;
    const kind = memberOf(value, discriminator);
    const option = def.options.find((one) => valuesAt(one, discriminator).includes(kind));
    if (option !== undefined) return unwrap(option, value);
  } else if (def.type === 'union') {
    const found = listOrPart(def.options, value);
    const option = found === undefined ? undefined : def.options[found];
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

/** The schema and the value at a path; `end`: what is made of the schema there. */
function at(
  schema: z.core.$ZodType,
  value: unknown,
  path: Path,
  end: typeof unwrap = unwrap,
): { schema: z.core.$ZodTypes; value: unknown } {
  const [key, ...rest] = path;
  if (key === undefined) return { schema: end(schema, value), value };
  const here = unwrap(schema, value);
  const def = here._zod.def;
  if (def.type === 'object') {
    const member = row(def.shape, String(key));
    if (member !== undefined) return at(member, memberOf(value, key), rest, end);
  }
  if (def.type === 'array') return at(def.element, memberOf(value, key), rest, end);
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

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** Of a part that a list of such parts may stand for, the one that the value is; undefined where it is neither, or the union is another. */
function listOrPart(options: readonly z.core.$ZodType[], value: unknown): number | undefined {
  const kinds = options.map((one) => (one as z.core.$ZodTypes)._zod.def.type);
  const isKnown = kinds.length === 2 && kinds.includes('array');
  if (!isKnown || !isObject(value)) return undefined;
  const list = kinds.indexOf('array');
  const other = kinds[1 - list];
  if (Array.isArray(value)) return list;
  return other === 'object' || other === 'union' ? 1 - list : undefined;
}

/** A fault of a value that may be a part or a list: the faults of what it is. */
function unfolded(
  schema: z.core.$ZodType,
  input: unknown,
  issue: z.core.$ZodIssue,
): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const here = at(schema, input, issue.path, bare);
  const { def } = here.schema._zod;
  const found = def.type === 'union' ? listOrPart(def.options, here.value) : undefined;
  const inner = found === undefined ? undefined : issue.errors[found];
  return (
    inner?.flatMap((one) =>
      unfolded(schema, input, { ...one, path: [...issue.path, ...one.path] } as z.core.$ZodIssue),
    ) ?? [issue]
  );
}

/** One line about the first fault of `input`. */
export function explain(
  schema: z.core.$ZodType,
  input: unknown,
  error: z.core.$ZodError,
  prefix: Path = [],
): string {
  const order = (issue: z.core.$ZodIssue): number => (issue.code === 'unrecognized_keys' ? 0 : 1);
  const issues = error.issues.flatMap((one) => unfolded(schema, input, one));
  const issue = [...issues].sort((a, b) => order(a) - order(b))[0];
  if (issue === undefined) return 'the experiment is not valid';
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
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
