// JSON in the documentation is what splitgrow reads, and the reference's tables of fields and presets are what the parser takes.
import { expect, test } from 'vitest';
import { SplitgrowError } from '../../lib/errors.js';
import { parseGraph } from '../../lib/graph/check.js';
import { normalizedPlan } from '../../lib/graph/grow.js';
import { buildPreset, ZOO } from '../../lib/models/zoo.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { blocks, tableOf } from './pages.js';

type Json = Readonly<Record<string, unknown>>;
const REFERENCE = 'docs/reference.md';
const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10', root: 'DIR' } };
const IMAGES = { ...LEAST, data: { name: 'image-folder', root: 'DIR' } };

/** What a JSON block of the documentation is, by the members it has. */
const KINDS: readonly { readonly member: string; readonly read: (json: Json) => unknown }[] = [
  { member: 'format', read: (json) => parseGraph(json) },
  { member: 'splits', read: (json) => normalizedPlan(buildPreset('mobilenet_cifar10'), json as never) },
  { member: 'name', read: (json) => parseExperiment(json) },
];

test('every JSON block is a network, a plan or an experiment that is accepted', () => {
  const found = blocks('json');
  expect(found.length).toBeGreaterThanOrEqual(4);
  for (const { page, line, code, marks } of found) {
    const text = JSON.parse(code) as Json;
    const json = marks.get('part of') === 'an experiment' ? { ...LEAST, ...text } : text;
    const kind = KINDS.find(({ member }) => Object.hasOwn(json, member));
    expect(kind, `${page}:${line} is of no known kind`).toBeDefined();
    expect(() => kind?.read(json), `${page}:${line}`).not.toThrow();
  }
});

/** The fields of every object of an experiment, as the error about an unknown one lists them. */
function knownFields(experiment: Json, path: readonly string[]): readonly string[] {
  const put = (json: Json, [key, ...rest]: readonly string[]): Json =>
    key === undefined
      ? { ...json, 'no such field': 1 }
      : { ...json, [key]: put((json[key] ?? {}) as Json, rest) };
  try {
    parseExperiment(put(experiment, path));
  } catch (error) {
    const known =
      error instanceof SplitgrowError ? /known: ([^(]+?)(?: \(and|$)/.exec(error.message)?.[1] : undefined;
    if (known !== undefined) return known.split(', ').map((name) => [...path, name].join('.'));
  }
  throw new Error(`an unknown field in ${path.join('.')} is not refused with the known ones`);
}

function withSchedule(kind: string): Json {
  return { ...LEAST, fit: { schedule: { kind } } };
}

/** Every field there is; `network` stands for the presets' options, which have a table of their own. */
function allFields(): ReadonlySet<string> {
  const fields = [
    ...knownFields(LEAST, []),
    ...knownFields(LEAST, ['data']),
    ...knownFields({ ...LEAST, data: { file: 'x.safetensors' } }, ['data']),
    ...knownFields(IMAGES, ['data']),
    ...knownFields(LEAST, ['fit']),
    ...knownFields(LEAST, ['fit', 'optimizer']),
    ...['constant', 'steps', 'cosine', 'wsd'].flatMap((kind) =>
      knownFields(withSchedule(kind), ['fit', 'schedule']),
    ),
    ...knownFields(LEAST, ['fit', 'finish']),
    ...knownFields(LEAST, ['fit', 'average']),
    ...knownFields(LEAST, ['splitting']),
    ...knownFields(LEAST, ['splitting', 'rmsprop']),
    ...knownFields(LEAST, ['splitting', 'lineSearch']),
    ...knownFields(LEAST, ['splitting', 'costEstimate']),
    ...knownFields(LEAST, ['splitting', 'rounding']),
    ...knownFields(LEAST, ['splitting', 'insertion']),
    ...knownFields(LEAST, ['deliver']),
    ...knownFields(LEAST, ['stop']),
    ...knownFields(LEAST, ['checkpoint']),
  ];
  const inner = (field: string): boolean => fields.some((other) => other.startsWith(`${field}.`));
  return new Set(fields.filter((field) => !inner(field)));
}

const plain = (cell: string): string => cell.replaceAll('`', '');

/** Members that are former places of others. */
const FORMER = ['shuffle', 'fit.shuffle', 'splitting.energy.estimate', 'splitting.energy.transform'];

interface Row {
  readonly field: string;
  /** As JSON; null: none. */
  readonly fallback: string | null;
}

/** Rows of the reference's table of fields, those of lists' entries left out. */
function listedRows(): readonly Row[] {
  const rows = tableOf(REFERENCE, 'fields').map(([cell = '']): Row => {
    const [, field = '', fallback] = /^`([^`]+)`(?: \((?:`(.*)`|required)\))?$/.exec(cell) ?? [];
    return { field, fallback: fallback ?? null };
  });
  return rows.filter(({ field }) => !field.includes('[]') && !FORMER.includes(field));
}

test('the reference lists every field of an experiment and no other', () => {
  const listed = listedRows().map(({ field }) => field);
  expect(new Set(listed).size).toBe(listed.length);
  expect([...listed].sort()).toEqual([...allFields()].sort());
});

test('the defaults in the reference are those of the experiment file', () => {
  const spec: unknown = parseExperiment({ ...LEAST, name: '<name>' });
  const others: readonly unknown[] = [withSchedule('wsd'), withSchedule('cosine'), IMAGES].map((json) =>
    parseExperiment(json),
  );
  const at = (value: unknown, path: string): unknown =>
    path.split('.').reduce((inner, key) => (inner as Json | undefined)?.[key], value);
  // These have values of their own in the least experiment, or follow from others.
  const given = [
    ...['name', 'network', 'data.name', 'data.file', 'data.root', 'data.validation'],
    ...['fit.schedule.kind', 'output'],
  ];
  for (const { field, fallback } of listedRows().filter((row) => !given.includes(row.field))) {
    const value = [spec, ...others].map((one) => at(one, field)).find((one) => one !== undefined);
    if (fallback === null) expect(value, field).toBeUndefined();
    else expect(JSON.parse(fallback), field).toEqual(value);
  }
});

test('the reference lists every preset with its options and their defaults', () => {
  const listed = Object.fromEntries(
    tableOf(REFERENCE, 'presets').map(([name = '', options = '']) => [
      plain(name),
      plain(options).split(', '),
    ]),
  );
  const known = Object.fromEntries(
    Object.entries(ZOO).map(([name, { options }]) => [
      name,
      Object.entries(options).map(([option, field]) => `${option} (${String(field.default)})`),
    ]),
  );
  expect(listed).toEqual(known);
});
