// The JSON Schema of experiments against the parser: what is right passes both, and what the schema refuses the parser refuses.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { experimentSchema } from '../../../../lib/run/spec/schema/experiment.js';
import { schemasAt } from '../../../../lib/run/spec/schema/lookup.js';
import { parseExperiment } from '../../../../lib/run/spec/spec.js';
import { ROOT } from '../../../data/places.js';
import { EXAMPLE } from '../../../graph/example.js';
import { drawOf } from '../../../random-graphs.js';
import { isExperiment } from './ajv.js';
import { mutated } from './mutate.js';
import { COMPARE_REFUSALS, EXPERIMENT_REFUSALS, LOOSER } from './refusals.js';

const FOLDER = join(ROOT, 'experiments');
const SHIPPED = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as unknown] as const);
const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10' } };

/** Experiments that between them have every member. */
const RICH: readonly unknown[] = [
  ...SHIPPED.map(([, json]) => json),
  parseExperiment(LEAST),
  parseExperiment({
    ...LEAST,
    network: { directory: 'a' },
    data: { file: 'x.safetensors' },
    fit: { epochs: [5, 9], schedule: { kind: 'wsd', warmup: 1, decay: 2 }, average: { decay: 0.9 } },
    splitting: { layerCap: { stem: 32 }, rmsprop: { decayFirst: 1 }, rounding: { kind: 'threshold' } },
    compare: ['scratch', 'retrain', { method: 'prune-bn', targets: [9] }, { method: 'morphnet' }],
    stop: { stages: 2, macs: 9 },
    output: 'y',
  }),
  parseExperiment({
    ...LEAST,
    data: { name: 'image-folder', root: 'DIR' },
    network: { preset: 'mobilenet_v2', width: 0.3, round: 8, shortcut: 'conv', dropout: 0.2 },
    fit: { schedule: { kind: 'constant' }, finish: { epochs: 3 }, optimizer: { nesterov: true } },
  }),
  { ...LEAST, $schema: 'x', shuffle: false },
  { ...LEAST, recipe: 'growth' },
  { ...LEAST, recipe: 'growth', fit: { finish: { epochs: 2, decay: 1 } } },
  { ...LEAST, network: { graph: { ...EXAMPLE, $schema: 'x' } }, stop: { costs: { params: 9000 } } },
  {
    ...LEAST,
    fit: { shuffle: true, schedule: { kind: 'cosine', final: 0.1 } },
    compare: ['width-multiplier'],
  },
];

function isParsed(json: unknown): boolean {
  try {
    parseExperiment(json);
    return true;
  } catch {
    return false;
  }
}

test('every experiment that ships, and every one written out with its defaults, is valid', () => {
  for (const json of RICH) {
    expect(isExperiment(JSON.parse(JSON.stringify(json))), JSON.stringify(isExperiment.errors?.[0])).toBe(
      true,
    );
    expect(isParsed(JSON.parse(JSON.stringify(json)))).toBe(true);
  }
});

test('"$schema" is taken and kept nowhere', () => {
  expect(parseExperiment({ ...LEAST, $schema: 'a.json' })).toEqual(parseExperiment(LEAST));
  expect(isParsed({ ...LEAST, $schema: 3 })).toBe(false);
});

const REFUSED = [
  ...EXPERIMENT_REFUSALS.map((json) =>
    isObject(json) && !Array.isArray(json) ? { ...LEAST, ...json } : json,
  ),
  ...COMPARE_REFUSALS.map((compare) => ({ ...LEAST, compare })),
];
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

test('what the parser refuses, and a schema can say, the schema refuses', () => {
  expect(REFUSED.length).toBeGreaterThan(50);
  for (const json of REFUSED) {
    expect(isParsed(json), JSON.stringify(json)).toBe(false);
    expect(isExperiment(json), JSON.stringify(json)).toBe(false);
  }
});

test('the looser points are those: the parser refuses them, a schema cannot compare numbers', () => {
  for (const json of LOOSER) {
    expect(isParsed({ ...LEAST, ...json }), JSON.stringify(json)).toBe(false);
    expect(isExperiment({ ...LEAST, ...json }), JSON.stringify(json)).toBe(true);
  }
});

/** Every name of a member in the schema. */
function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === 'properties' && isObject(inner) ? Object.keys(inner) : []),
    ...namesIn(inner),
  ]);
}

test('whatever the schema refuses the parser refuses too, on random changes', () => {
  const known = [...new Set(namesIn(experimentSchema()))];
  let refused = 0;
  for (let seed = 0; seed < 2500; seed += 1) {
    const draw = drawOf(seed);
    let json: unknown = draw.one(RICH);
    for (let times = 1 + draw.below(2); times > 0; times -= 1) json = mutated(json, draw, known);
    if (isExperiment(json)) continue;
    refused += 1;
    if (isParsed(json))
      expect.fail(`seed ${seed}: ${JSON.stringify(isExperiment.errors)}: ${JSON.stringify(json)}`);
  }
  expect(refused).toBeGreaterThan(1200);
});

test('every field has a description, and a default wherever the parser fills one in', () => {
  const schema = experimentSchema();
  const bare: string[] = [];
  const look = (value: unknown, path: string): void => {
    if (!isObject(value)) return;
    for (const { description } of path === '' ? [] : schemasAt(schema, path))
      if (typeof description !== 'string' || description === '') bare.push(path);
    if (!Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) look(inner, path === '' ? key : `${path}.${key}`);
  };
  for (const json of RICH) look(json, '');
  expect(bare).toEqual([]);
  const leaves = (value: unknown, path: string): readonly (readonly [string, unknown])[] =>
    isObject(value) && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`))
      : [[path, value]];
  // The size of the validation part depends on the data's name.
  const given = new Set([
    'name',
    'network.preset',
    'data.name',
    'data.validation',
    'output',
    'fit.schedule.kind',
  ]);
  for (const [path, value] of leaves(parseExperiment(LEAST), '')) {
    if (given.has(path)) continue;
    const defaults = schemasAt(schema, path).map((one) => JSON.stringify(one.default));
    expect(defaults, path).toContain(JSON.stringify(value));
  }
});
