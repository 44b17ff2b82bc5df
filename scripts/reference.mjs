// node scripts/reference.mjs: writes the generated tables of docs/reference.md, from schema/, the command table, the presets and the error codes
// (dist must be current). Everything between <!-- name --> and <!-- /name --> is made here; the rest of the page is written by hand.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { COMMANDS } from '../dist/cli/commands.js';
import { flagName } from '../dist/cli/parse.js';
import { PRESET_FLAGS } from '../dist/cli/shared-flags.js';
import { CODES } from '../dist/errors.js';
import { OPS } from '../dist/graph/ops.js';
import { ZOO } from '../dist/models/zoo.js';
import { EFFECTS } from '../dist/run/spec/experiment.js';
import { main, ROOT, say } from './steps.mjs';

export const PAGE = join(ROOT, 'docs', 'reference.md');

const schemaOf = (name) => JSON.parse(readFileSync(join(ROOT, 'schema', `${name}.schema.json`), 'utf8'));
const code = (text) => `\`${text}\``;
/** Rows without the outer bars, which Markdown does not ask for. */
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => cells.join(' | ')).join('\n');

/** A schema and, where it has variants, those. */
const variantsOf = (schema) => [
  schema,
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(variantsOf),
];

/** Members of an object schema in all its variants, by name: the schemas, and whether every variant needs it. */
function membersOf(schema) {
  const objects = variantsOf(schema).filter(({ properties }) => properties !== undefined);
  const names = [...new Set(objects.flatMap(({ properties }) => Object.keys(properties)))];
  return names.map((name) => ({
    name,
    schemas: objects.flatMap(({ properties }) => properties[name] ?? []),
    isRequired: objects.every(({ required = [] }) => required.includes(name)),
  }));
}

/** [field (default), what it says] of every member of a schema that is no object itself, those of lists' entries included. */
function rowsOf(schema, path = '') {
  return membersOf(schema).flatMap(({ name, schemas, isRequired }) => {
    const field = path === '' ? name : `${path}.${name}`;
    const inner = schemas.flatMap((one) => rowsOf(one, field));
    if (inner.length > 0) return [...new Map(inner.map((row) => [row[0], row])).values()];
    const { default: value, items } = schemas.find((one) => one.default !== undefined) ?? schemas[0];
    const fallback = value === undefined ? '' : ` (${code(JSON.stringify(value))})`;
    const says = [...new Set(schemas.map(({ description }) => description))].join('; ');
    const row = [`${code(field)}${isRequired ? ' (required)' : fallback}`, says];
    return [row, ...(items === undefined ? [] : rowsOf(items, `${field}[]`))];
  });
}

/** Where each top member of an experiment stands; the others behind them. */
const ORDER = ['name', 'network', 'data', 'fit', 'splitting', 'stop'];

function fields() {
  const { properties, required } = schemaOf('experiment');
  const { network, ...parts } = properties;
  // The options of presets have a table of their own.
  const all = { ...parts, network: { description: network.description } };
  const named = Object.fromEntries(ORDER.map((name) => [name, all[name]]));
  return table(['field (default)', 'meaning'], rowsOf({ properties: { ...named, ...all }, required }));
}

/** Codes of one exit code. A wrong input is mended as its message says; else the table says what to do. */
function errors(exit) {
  const rows = Object.entries(CODES).filter(([, row]) => row.exit === exit);
  return exit === 2
    ? table(
        ['code', 'meaning'],
        rows.map(([name, { means }]) => [code(name), means]),
      )
    : table(
        ['code', 'meaning', 'what to do'],
        rows.map(([name, { means, remedy }]) => [code(name), means, remedy]),
      );
}

/** The fields whose effect is so; a part stands for its fields where all of them are. */
function fieldsThat(isSo) {
  const names = [...EFFECTS.keys()];
  const found = names.filter((name) => isSo(EFFECTS.get(name)));
  const partOf = (name) => {
    const inside = names.filter((other) => other.startsWith(`${name.split('.')[0]}.`));
    return inside.length > 1 && inside.every((other) => found.includes(other)) ? name.split('.')[0] : name;
  };
  return [...new Set(found.map(partOf))].map(code).join(', ');
}

/** What other values of fields change, but for those that change every network. */
const effects = () =>
  table(
    ['another value changes', 'of'],
    [
      ['nothing, as long as the same files lie there', fieldsThat(({ affects }) => affects === 'place')],
      ['no network', fieldsThat(({ affects }) => affects === 'nothing')],
      ['the networks after stage 0', fieldsThat(({ affects }) => affects === 'after stage 0')],
      ['networks, but a run may go on with it and says so', fieldsThat(({ remedy }) => remedy !== undefined)],
    ],
  );

/** Sizes by which `parametersOf` tells the axes apart: 22 channels in, 14 out, 2 groups, kernel 3. */
const NODE = { out: 14, kernel: 3, groups: 2, bias: true };
const VALUE = { channels: 22, block: 1, size: [8, 8] };

/** The parameters of an op with their shapes, as `weight` [out, in, k, k]. */
function parametersOf(op) {
  const { parameters, channels, takes, fields } = OPS[op];
  const node = {
    id: 'x',
    op,
    ...Object.fromEntries(Object.entries(NODE).filter(([name]) => name in fields)),
  };
  const input = takes === 'vector' ? { ...VALUE, size: null } : VALUE;
  const sizes = { 14: 'out', 22: channels === 'source' ? 'in' : 'c', 11: 'in/groups', 3: 'k', 1: '1' };
  return parameters(node, [input])
    .map(({ name, axes }) => `${code(name)} [${axes.map(({ size }) => sizes[size]).join(', ')}]`)
    .join(', ');
}

/** A field of an op with its default or its choices; one that follows from others says how. */
function fieldOf([name, { default: value, enum: choices, description }], required) {
  if (choices !== undefined) return `${code(name)}: ${choices.join(', ')}`;
  const follows = /left out: (.*)$/.exec(description)?.[1];
  const fallback = value ?? follows;
  return required.includes(name) || fallback === undefined ? code(name) : `${code(name)} (${fallback})`;
}

function ops() {
  const rows = Object.entries(schemaOf('network').$defs).map(([op, { properties, required }]) => {
    const fields = Object.entries(properties).filter(([name]) => !['id', 'op', 'inputs'].includes(name));
    const listed = fields.map((field) => fieldOf(field, required)).join(', ');
    const hasMany = properties.inputs.minItems > 1;
    return [code(op), hasMany ? 'two or more inputs of one width' : listed, parametersOf(op)];
  });
  return table(['op', 'fields (default)', 'parameters'], rows);
}

const PARTS = {
  fields,
  effects,
  presets: () =>
    table(
      ['preset', 'options (default)'],
      Object.entries(ZOO).map(([name, { options }]) => [
        code(name),
        Object.entries(options)
          .map(([option, field]) => `${code(option)} (${field.default})`)
          .join(', '),
      ]),
    ),
  ops,
  commands: () => ['```text', ...COMMANDS.map(synopsis), '```'].join('\n'),
  'errors 2': () => errors(2),
  'errors 1': () => errors(1),
};

/** A flag as a synopsis has it. */
function flagWords([key, { value, isRequired, isRepeated, alone }]) {
  const words =
    value === null ? flagName(key) : `${flagName(key)} ${alone === undefined ? value : `[${value}]`}`;
  return `${isRequired ? words : `[${words}]`}${isRepeated ? '...' : ''}`;
}

/** A command with its arguments and flags; one word stands for the options of presets. */
function synopsis({ name, arguments: given, flags }) {
  const hasPreset = Object.hasOwn(flags, 'shortcut');
  const flagsAlone = Object.entries(flags).filter(
    ([key]) => !(hasPreset && Object.hasOwn(PRESET_FLAGS, key)),
  );
  const places = Object.entries(given).map(([key, { value, isRequired, isRepeated }]) => {
    const word = `${value ?? key}${isRepeated ? '...' : ''}`;
    return isRequired ? word : `[${word}]`;
  });
  return [name, ...places, ...flagsAlone.map(flagWords), ...(hasPreset ? ['[PRESET-OPTIONS]'] : [])].join(
    ' ',
  );
}

/** The page with every generated part made anew. */
export function withTables(text) {
  return Object.entries(PARTS).reduce((page, [name, make]) => {
    const [before, rest = ''] = page.split(`<!-- ${name} -->`);
    const after = rest.split(`<!-- /${name} -->`)[1];
    if (after === undefined)
      throw new Error(`${PAGE}: expected <!-- ${name} --> and <!-- /${name} -->, found none`);
    return `${before}<!-- ${name} -->\n${make()}\n<!-- /${name} -->${after}`;
  }, text);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8')));
    say('docs/reference.md written');
  });
}
