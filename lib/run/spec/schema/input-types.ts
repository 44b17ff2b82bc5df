// The TypeScript text of lib/run/spec/experiment-input.ts: what an experiment is written as, every field with its description,
// from the schemas that check it.
import type { z } from 'zod';
import { EXPERIMENT } from '../experiment.js';

type Schema = z.core.$ZodType;
type Types = z.core.$ZodTypes;

/** Types by the paths of members that are not told by their schemas. */
const SPECIAL: Readonly<Record<string, string>> = { 'network.graph': 'Graph' };
/** Parts that have a type of their own name, in the order of the file. */
const PARTS: Readonly<Record<string, string>> = {
  network: 'NetworkInput',
  data: 'DataInput',
  fit: 'FitInput',
  splitting: 'SplittingInput',
  stop: 'StopInput',
  checkpoint: 'CheckpointInput',
  deliver: 'DeliverInput',
  compare: 'CompareInput',
};

const quoted = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value);
const isName = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text);
const indented = (text: string): string => text.replaceAll('\n', '\n  ');

/** Without the wrappers that give a default or make a member optional. */
function bare(schema: Schema): Types {
  const { def } = (schema as Types)._zod;
  const isWrapper = def.type === 'default' || def.type === 'prefault' || def.type === 'optional';
  return isWrapper ? bare(def.innerType) : (schema as Types);
}

/** The default that the parser fills in, as TypeScript; undefined where there is none, or it is that of the parts inside. */
function defaultOf(schema: Schema): string | undefined {
  const { def } = (schema as Types)._zod;
  if (def.type === 'default') return JSON.stringify(def.defaultValue);
  const { default: told } = ((schema as z.ZodType).meta?.() ?? {}) as { readonly default?: unknown };
  if (told !== undefined) return JSON.stringify(told);
  return 'innerType' in def && def.type !== 'prefault' ? defaultOf(def.innerType) : undefined;
}

function descriptionOf(schema: Schema): string {
  const found = (schema as z.ZodType).description;
  if (found !== undefined) return found;
  const { def } = (schema as Types)._zod;
  return 'innerType' in def ? descriptionOf(def.innerType) : '';
}

/** A comment of one line, or of two where there is a default. */
function comment(schema: Schema): string {
  const says = descriptionOf(schema).replaceAll('*/', '* /');
  const fallback = defaultOf(schema);
  return fallback === undefined ? `/** ${says} */` : `/**\n * ${says}\n * @defaultValue ${fallback}\n */`;
}

function member(name: string, schema: Schema, path: string): string {
  const isOptional = (schema as Types)._zod.optin !== undefined;
  const type = PARTS[path] ?? typeOf(schema, path);
  const key = isName(name) ? name : quoted(name);
  return `${comment(schema)}\nreadonly ${key}${isOptional ? '?' : ''}: ${type}${isOptional ? ' | undefined' : ''};`;
}

function membersOf(shape: Readonly<Record<string, Schema>>, path: string): string {
  const members = Object.entries(shape).map(([name, inner]) =>
    member(name, inner, path === '' ? name : `${path}.${name}`),
  );
  return `{\n  ${members.map(indented).join('\n  ')}\n}`;
}

/** The choices of an enum, or those that its variant leaves of them. */
function choicesOf(schema: Schema, entries: Readonly<Record<string, unknown>>): readonly unknown[] {
  const { enum: left } = ((bare(schema) as unknown as z.ZodType).meta?.() ?? {}) as {
    readonly enum?: readonly unknown[];
  };
  return left ?? Object.values(entries);
}

/** A name of the caller's own, beside those that an editor is to propose. */
const ANY_NAME = '(string & Record<never, never>)';

function unionOf(options: readonly Schema[], path: string): string {
  const types = [...new Set(options.map((one) => typeOf(one, path)))];
  const isOpen = types.includes('string') && types.length > 1;
  return types.map((type) => (isOpen && type === 'string' ? ANY_NAME : type)).join(' | ');
}

/** `readonly number[]`; a union in brackets. */
const listOf = (type: string): string => `readonly ${type.includes(' | ') ? `(${type})` : type}[]`;

/** The type of a value as it is written. @throws where a schema is of a kind that no field has had so far */
function typeOf(schema: Schema, path: string): string {
  const special = SPECIAL[path];
  if (special !== undefined) return special;
  const { def } = bare(schema)._zod;
  switch (def.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return def.type;
    case 'literal':
      return def.values.map(quoted).join(' | ');
    case 'enum':
      return choicesOf(schema, def.entries).map(quoted).join(' | ');
    case 'nullable':
      return `${typeOf(def.innerType, path)} | null`;
    case 'array':
      return listOf(typeOf(def.element, path));
    case 'record':
      return `Readonly<Record<string, ${typeOf(def.valueType, path)}>>`;
    case 'union':
      return unionOf(def.options, path);
    case 'object':
      return membersOf(def.shape, path);
    default:
      throw new TypeError(`${path}: no TypeScript is written for a schema of ${def.type}`);
  }
}

/** A rival may be given by its method's name alone. */
function rivalsType(schema: Schema): string {
  const list = bare(schema)._zod.def;
  if (list.type !== 'array') throw new TypeError('compare: expected a list');
  return `readonly (CompareEntryInput | CompareEntryInput['method'])[]`;
}

function entryType(schema: Schema): string {
  const list = bare(schema)._zod.def;
  return list.type === 'array' ? typeOf(list.element, 'compare[]') : 'never';
}

/** What is delivered may be given by its name alone. */
function namesOf(schema: Schema): string {
  const { def } = bare(schema)._zod;
  return def.type === 'object' ? typeOf(def.shape.which as Schema, 'deliver.which') : 'never';
}

function declaration(name: string, schema: Schema, path: string): string {
  const about = `/** The \`${path}\` of an experiment: ${descriptionOf(schema)}. */`;
  if (path === 'compare')
    return `/** A rival with its options. */\nexport type CompareEntryInput = ${entryType(schema)};\n\n${about}\nexport type ${name} = ${rivalsType(schema)};`;
  const type = typeOf(schema, path);
  if (path === 'deliver') return `${about}\nexport type ${name} = ${namesOf(schema)} | ${type};`;
  return bare(schema)._zod.def.type === 'object'
    ? `${about}\nexport interface ${name} ${type}`
    : `${about}\nexport type ${name} = ${type};`;
}

/** All of the file. */
export function experimentInputText(): string {
  const shape: Readonly<Record<string, Schema>> = EXPERIMENT.shape;
  const parts = Object.entries(PARTS).map(([path, name]) => declaration(name, shape[path] as Schema, path));
  const whole = `/** One experiment as it is written; members with a default may be left out. \`defineExperiment\` completes it in an editor. */\nexport interface ExperimentInput ${membersOf(shape, '')}`;
  return [
    "// Made by `node scripts/schemas.mjs` from the schemas of lib/run/spec: change a field's description there.",
    "import type { Graph } from '../../graph/ir.js';",
    '',
    parts.join('\n\n'),
    '',
    whole,
    '',
  ].join('\n');
}
