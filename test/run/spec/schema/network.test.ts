// The JSON Schema of network.json against parseGraph: presets and random graphs pass both, what the schema refuses the parser refuses.
import { expect, test } from 'vitest';
import { parseGraph } from '../../../../lib/graph/check.js';
import { OPS } from '../../../../lib/graph/ops.js';
import { buildPreset, ZOO } from '../../../../lib/models/zoo.js';
import { EXAMPLE } from '../../../graph/example.js';
import { DOCUMENT_REFUSALS } from '../../../graph/refusals-document.js';
import { NODE_REFUSALS } from '../../../graph/refusals-node.js';
import { drawOf, randomGraph } from '../../../random-graphs.js';
import { isNetwork } from './ajv.js';
import { mutated } from './mutate.js';

/** With every optional member of the document. */
const FULL = {
  ...EXAMPLE,
  input: { ...EXAMPLE.input, shortSide: 40 },
  classes: Array.from({ length: 10 }, (_, at) => `class ${at}`),
};

/** Rules about more than one value: a schema has no words for them. */
const LOOSER: ReadonlySet<string> = new Set([
  ...['an id occurs once', 'the fields of a node agree with each other', 'the inputs exist and come earlier'],
  ...['the inputs are of the kind that the op takes', 'merged inputs are of equal width'],
  ...['merged inputs are of equal size', 'the op can take its inputs', 'the window fits its input'],
  ...['a value is of bearable size', 'the features are of bearable number'],
  ...['the parameters are of bearable number', 'the MACs are of bearable number'],
  ...['the output is a vector of two classes or more', 'every node leads to the output'],
  'every class has a name, or none has',
]);
/** Cases of rules that a schema has words for otherwise: [rule, case]. */
const LOOSER_CASES: ReadonlySet<string> = new Set([
  // Lengths that follow from the number of channels, and a product of three numbers.
  ...['the means fit the channels 0', 'the deviations fit the channels 0'],
  'the input shape is [channels, height, width] 6',
  // At least the input's longer side.
  ...['the shorter side holds the input 0', 'the shorter side holds the input 9'],
  // Ids that are only not there.
  ...['the output is a node 0', 'the output is a node 6'],
]);

function isParsed(json: unknown): boolean {
  try {
    parseGraph(json);
    return true;
  } catch {
    return false;
  }
}

/** As a file can hold it: no NaN, no undefined. */
function isJson(json: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(JSON.stringify(json))) === JSON.stringify(json) && !hasOdd(json);
  } catch {
    return false;
  }
}
function hasOdd(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasOdd);
}

const NAMED = {
  ...EXAMPLE,
  input: { ...EXAMPLE.input, shortSide: 36 },
  classes: ['T-shirt/top', 'n01440764', '松鼠', ...'abcdefg'],
};

test('every preset and every random graph is valid', () => {
  const presets = Object.keys(ZOO).map((name) => buildPreset(name));
  const random = Array.from({ length: 100 }, (_, seed) => randomGraph(seed));
  for (const graph of [...presets, ...random, EXAMPLE, { ...EXAMPLE, $schema: 'x' }, NAMED])
    expect(isNetwork(graph), `${graph.name}: ${JSON.stringify(isNetwork.errors?.[0])}`).toBe(true);
});

test('"$schema" is taken and kept nowhere', () => {
  expect(parseGraph({ ...EXAMPLE, $schema: 'x' })).toEqual(EXAMPLE);
});

test('every refusal of a rule about one value is one of the schema', () => {
  let count = 0;
  for (const [rule, , , ...cases] of [...DOCUMENT_REFUSALS, ...NODE_REFUSALS]) {
    if (LOOSER.has(rule)) continue;
    for (const [at, json] of cases.entries()) {
      if (!isJson(json)) continue;
      count += 1;
      const name = `${rule} ${at}`;
      expect(isNetwork(json), `${name}: ${JSON.stringify(json)?.slice(0, 300)}`).toBe(LOOSER_CASES.has(name));
    }
  }
  expect(count).toBeGreaterThan(70);
});

test('whatever the schema refuses the parser refuses too, on random changes', () => {
  const known = [...new Set(Object.values(OPS).flatMap(({ fields }) => Object.keys(fields)))];
  let refused = 0;
  for (let seed = 0; seed < 2500; seed += 1) {
    const draw = drawOf(seed);
    let json: unknown = draw.chance(0.3) ? FULL : randomGraph(seed % 50);
    for (let times = 1 + draw.below(2); times > 0; times -= 1) json = mutated(json, draw, known);
    if (isNetwork(json)) continue;
    refused += 1;
    if (isParsed(json))
      expect.fail(`seed ${seed}: ${JSON.stringify(isNetwork.errors)}: ${JSON.stringify(json)}`);
  }
  expect(refused).toBeGreaterThan(1200);
});

test('every field of every op has a meaning', () => {
  for (const [op, { fields }] of Object.entries(OPS))
    for (const [name, { about }] of Object.entries(fields))
      expect(about.length, `${op}.${name}`).toBeGreaterThan(5);
});
