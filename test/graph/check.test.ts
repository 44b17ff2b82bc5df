import { expect, test } from 'vitest';
import { parseGraph, shapes } from '../../lib/graph/check.js';
import { DOCUMENT_RULES, OUTPUT_RULES } from '../../lib/graph/document.js';
import { NODE_RULES, TOTAL_RULES } from '../../lib/graph/rules.js';
import { buildPreset, ZOO } from '../../lib/models/zoo.js';
import { randomGraph, randomWeights } from '../random-graphs.js';
import { codeOf, forward, messageOf, randomOf, tensor } from '../reference.js';

type Json = Record<string, unknown>;
const EXAMPLE = {
  format: 'splitgrow-network/1',
  name: 'example',
  input: { shape: [3, 32, 32], mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26] },
  nodes: [
    { id: 'stem', op: 'conv2d', inputs: ['input'], out: 8, kernel: 3, stride: 1, padding: 1, bias: false },
    { id: 'stem_bn', op: 'batch_norm', inputs: ['stem'], eps: 1e-5, momentum: 0.1 },
    { id: 'stem_act', op: 'activation', inputs: ['stem_bn'], kind: 'relu' },
    {
      id: 'b0_dw',
      op: 'depthwise_conv2d',
      inputs: ['stem_act'],
      kernel: 3,
      stride: 1,
      padding: 1,
      bias: false,
    },
    { id: 'pool', op: 'global_avg_pool', inputs: ['b0_dw'] },
    { id: 'classifier', op: 'linear', inputs: ['pool'], out: 10, bias: true },
  ],
  output: 'classifier',
};
const copy = (): typeof EXAMPLE => structuredClone(EXAMPLE);
/** The example with fields of one node changed; `undefined` takes a field away. */
const changed = (id: string, fields: Json): Json => {
  const nodes = copy().nodes.map((node) => {
    const next: Json = node.id === id ? { ...node, ...fields } : { ...node };
    return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
  });
  return { ...copy(), nodes };
};
/** The example with nodes put in before the pool, which then reads `last`. */
const before = (extra: readonly Json[], last: string): Json => {
  const nodes = copy().nodes.map((node) => (node.id === 'pool' ? { ...node, inputs: [last] } : node));
  return { ...copy(), nodes: [...nodes.slice(0, 4), ...extra, ...nodes.slice(4)] };
};
const map = (id: string, op: string, fields: Json = {}, inputs: readonly unknown[] = ['b0_dw']): Json => ({
  id,
  op,
  inputs,
  ...fields,
});
const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = [value];
  return value;
};

test('a graph that meets every rule is returned as given, defaults not written in', () => {
  expect(parseGraph(EXAMPLE)).toEqual(EXAMPLE);
  const bare = changed('stem', { stride: undefined, padding: undefined, bias: undefined });
  expect(parseGraph(bare)).toEqual(bare);
  const { mean: _mean, std: _std, ...input } = EXAMPLE.input;
  expect(parseGraph({ ...copy(), input })).toEqual({ ...copy(), input });
});

test('every preset and every random graph meets the rules', () => {
  for (const name of Object.keys(ZOO)) {
    const graph = buildPreset(name);
    expect(parseGraph(JSON.parse(JSON.stringify(graph)))).toEqual(graph);
  }
});

test('the checked graph is a copy: changing the file afterwards does not change it', () => {
  const json = copy();
  const graph = parseGraph(json);
  json.nodes[0] = { ...json.nodes[0], out: 99 } as (typeof json.nodes)[0];
  (json.nodes[1] as { inputs: string[] }).inputs[0] = 'x';
  (json.input.shape as number[])[0] = 7;
  expect(graph).toEqual(EXAMPLE);
});

/** Rule by rule: what breaks it, the code, and words that the message must have. */
const REFUSALS: readonly (readonly [rule: string, code: string, words: string, ...json: unknown[]])[] = [
  [
    'the document is an object',
    'E_GRAPH_FORMAT',
    'must be an object',
    null,
    3,
    'x',
    [],
    undefined,
    deep(50_000),
  ],
  [
    'the format is known',
    'E_GRAPH_FORMAT',
    'format must be',
    {},
    { ...copy(), format: 'splitgrow-network/2' },
    { ...copy(), format: deep(50_000) },
  ],
  ['the fields of the document are known', 'E_GRAPH_FORMAT', 'nearest is "nodes"', { ...copy(), node: [] }],
  [
    'the name is a line of text',
    'E_GRAPH_FORMAT',
    'name must be',
    { ...copy(), name: 3 },
    { ...copy(), name: 'a\nb' },
    { ...copy(), name: 'x'.repeat(201) },
    { ...copy(), name: '\u001b[31m' },
  ],
  [
    'the input is an object of known fields',
    'E_GRAPH_FORMAT',
    'input|std',
    { ...copy(), input: [3, 32, 32] },
    { ...copy(), input: { ...EXAMPLE.input, sdt: [1] } },
  ],
  [
    'the input shape is [channels, height, width]',
    'E_GRAPH_FORMAT',
    'input.shape must be',
    ...[
      [3, 32],
      [3, 32, 0],
      [3, 32, 32.5],
      [3, -1, 32],
      ['3', 32, 32],
      [3, 1e9, 32],
      [60_000, 16_000, 16_000],
      [Number.NaN, 1, 1],
      deep(50_000),
      { length: 3 },
      null,
    ].map((shape) => ({ ...copy(), input: { shape } })),
  ],
  [
    'the means fit the channels',
    'E_GRAPH_FORMAT',
    'input.mean must',
    ...[[1, 2], [1, 2, Number.NaN], [1, 2, '3'], 'abc', null, [1, 2, Infinity]].map((mean) => ({
      ...copy(),
      input: { ...EXAMPLE.input, mean },
    })),
  ],
  [
    'the deviations fit the channels',
    'E_GRAPH_FORMAT',
    'input.std must',
    ...[
      [1, 2],
      [1, 2, 0],
      [1, 2, -1],
      [1, 2, null],
    ].map((std) => ({ ...copy(), input: { ...EXAMPLE.input, std } })),
  ],
  [
    'mean and std come together',
    'E_GRAPH_FORMAT',
    'together',
    { ...copy(), input: { shape: [3, 32, 32], mean: [1, 2, 3] } },
    { ...copy(), input: { shape: [3, 32, 32], std: [1, 2, 3] } },
  ],
  [
    'the nodes are a list',
    'E_GRAPH_FORMAT',
    'nodes must be a list',
    { ...copy(), nodes: {} },
    { ...copy(), nodes: [] },
    { ...copy(), nodes: Array(10_001).fill(EXAMPLE.nodes[0]) },
  ],
  [
    'a node is an object',
    'E_GRAPH_FORMAT',
    'must be an object',
    { ...copy(), nodes: [null] },
    { ...copy(), nodes: ['stem'] },
    { ...copy(), nodes: [deep(50_000)] },
  ],
  [
    'an id is of safe characters and not reserved',
    'E_GRAPH_ID',
    'id',
    ...[
      '',
      'a b',
      'a/b',
      '../a',
      'a\nb',
      '\u001b[2J',
      'é',
      'x'.repeat(201),
      3,
      null,
      undefined,
      ['stem'],
      'input',
      '__proto__',
    ].map((id) => changed('stem', { id })),
  ],
  ['an id occurs once', 'E_GRAPH_ID', 'occurs twice', changed('stem_bn', { id: 'stem' })],
  [
    'the op is known',
    'E_GRAPH_OP',
    'conv2d|op must be',
    ...['conv2', 'Conv2d', 'convd2', 3, null, undefined].map((op) => changed('stem', { op })),
  ],
  [
    'the op is known',
    'E_GRAPH_OP',
    'unknown op',
    ...['constructor', '__proto__', 'toString', 'hasOwnProperty'].map((op) => changed('stem', { op })),
  ],
  [
    'the inputs are a list of ids',
    'E_GRAPH_INPUT',
    'inputs must be a list',
    ...['input', null, undefined, [3], [['input']], { 0: 'input', length: 1 }].map((inputs) =>
      changed('stem', { inputs }),
    ),
  ],
  [
    'the number of inputs suits the op',
    'E_GRAPH_ARITY',
    'inputs, got',
    changed('stem', { inputs: [] }),
    changed('stem_bn', { inputs: ['stem', 'stem'] }),
    before([map('s', 'add')], 's'),
    before([map('s', 'add', {}, Array(5000).fill('b0_dw'))], 's'),
  ],
  [
    'the fields of a node are known',
    'E_GRAPH_FIELD',
    'nearest is "kernel"',
    changed('stem', { kernal: 3 }),
    changed('stem', { kernel: undefined, kernels: 3 }),
  ],
  [
    'the fields of a node are known',
    'E_GRAPH_FIELD',
    'unknown field',
    changed('stem', { in: 3 }),
    changed('pool', { kernel: 3 }),
    changed('b0_dw', { out: 8 }),
    JSON.parse(JSON.stringify(copy()).replace('"out":8', '"out":8,"__proto__":{"groups":2}')),
  ],
  [
    'the fields of a node are of the right kind',
    'E_GRAPH_FIELD',
    'is missing',
    changed('stem', { out: undefined }),
    changed('stem', { kernel: undefined }),
    changed('stem_act', { kind: undefined }),
    changed('classifier', { out: undefined }),
  ],
  [
    'the fields of a node are of the right kind',
    'E_GRAPH_FIELD',
    'must be an integer',
    ...[0, -1, 1.5, 1e9, Number.NaN, Infinity, '8', null, true, [8], deep(50_000)].map((out) =>
      changed('stem', { out }),
    ),
  ],
  [
    'the fields of a node are of the right kind',
    'E_GRAPH_FIELD',
    'must be an integer',
    ...[
      { kernel: 0 },
      { kernel: 1e9 },
      { stride: 0 },
      { padding: -1 },
      { padding: 1e9 },
      { groups: 0 },
      { kernel: [3, 3] },
    ].map((fields) => changed('stem', fields)),
  ],
  [
    'the fields of a node are of the right kind',
    'E_GRAPH_FIELD',
    'must be',
    changed('stem', { bias: 1 }),
    changed('stem', { split: 'no' }),
    changed('stem_bn', { eps: 0 }),
    changed('stem_bn', { eps: Number.NaN }),
    changed('stem_bn', { momentum: 2 }),
    changed('stem_bn', { eps: '1e-5' }),
    before([map('d', 'dropout', { p: 1 })], 'd'),
    before([map('d', 'dropout', { p: -0.1 })], 'd'),
  ],
  [
    'the fields of a node are of the right kind',
    'E_GRAPH_FIELD',
    'relu',
    changed('stem_act', { kind: 'relue' }),
    changed('stem_act', { kind: 3 }),
    changed('stem_act', { kind: 'toString' }),
  ],
  [
    'the fields of a node agree with each other',
    'E_GRAPH_FIELD',
    'at most half of kernel',
    before([map('p', 'max_pool', { kernel: 3, padding: 2 })], 'p'),
    before([map('p', 'avg_pool', { kernel: 1, padding: 1 })], 'p'),
  ],
  [
    'the inputs exist and come earlier',
    'E_GRAPH_INPUT',
    'nearest is "stem_bn"',
    changed('stem_act', { inputs: ['stem_nb'] }),
  ],
  [
    'the inputs exist and come earlier',
    'E_GRAPH_INPUT',
    'come earlier',
    changed('stem', { inputs: ['stem'] }),
    changed('stem', { inputs: ['b0_dw'] }),
    changed('stem_bn', { inputs: ['stem_act'] }),
  ],
  [
    'the inputs exist and come earlier',
    'E_GRAPH_INPUT',
    'does not exist',
    changed('stem', { inputs: ['constructor'] }),
    changed('stem', { inputs: ['__proto__'] }),
    changed('stem', { inputs: ['\u001b[2J\n'] }),
  ],
  [
    'the inputs are of the kind that the op takes',
    'E_GRAPH_SHAPE',
    'needs',
    changed('classifier', { inputs: ['b0_dw'] }),
    {
      ...changed('pool', { op: 'flatten' }),
      nodes: [...copy().nodes.slice(0, 5), map('c', 'conv2d', { out: 3, kernel: 1 }, ['pool'])],
      output: 'c',
    },
  ],
  [
    'merged inputs are of equal width',
    'E_GRAPH_WIDTH',
    '"b0_dw".*"w"',
    before([map('w', 'conv2d', { out: 7, kernel: 1 }), map('s', 'add', {}, ['b0_dw', 'w'])], 's'),
  ],
  [
    'merged inputs are of equal size',
    'E_GRAPH_SHAPE',
    '32 x 32.*(16 x 16|a vector)',
    before([map('w', 'max_pool', { kernel: 2 }), map('s', 'add', {}, ['b0_dw', 'w'])], 's'),
    before([map('g', 'global_avg_pool'), map('s', 'add', {}, ['b0_dw', 'g'])], 's'),
  ],
  [
    'the op can take its inputs',
    'E_GRAPH_SHAPE',
    'groups must divide',
    changed('stem', { groups: 2 }),
    before([map('g', 'conv2d', { out: 9, kernel: 1, groups: 4 })], 'g'),
  ],
  [
    'the window fits its input',
    'E_GRAPH_SHAPE',
    'window is larger',
    changed('stem', { kernel: 33, padding: 0 }),
    before([map('p', 'max_pool', { kernel: 33 })], 'p'),
  ],
  [
    'a value is of bearable size',
    'E_GRAPH_SHAPE',
    'features an image',
    { ...changed('stem', { out: 65_536, padding: 100 }) },
    changed('stem', { kernel: 1, padding: 1024, out: 4096 }),
  ],
  [
    'the output is a node',
    'E_GRAPH_OUTPUT',
    'output must be',
    ...['nowhere', 'input', null, undefined, 5, ['classifier'], '__proto__'].map((output) => ({
      ...copy(),
      output,
    })),
  ],
  [
    'the output is a vector of two classes or more',
    'E_GRAPH_OUTPUT',
    'feature map',
    { ...copy(), nodes: copy().nodes.slice(0, 4), output: 'b0_dw' },
  ],
  [
    'the output is a vector of two classes or more',
    'E_GRAPH_OUTPUT',
    'two classes',
    changed('classifier', { out: 1 }),
  ],
  [
    'every node leads to the output',
    'E_GRAPH_OUTPUT',
    '"classifier" does not lead',
    { ...copy(), output: 'pool' },
  ],
  [
    'the features are of bearable number',
    'E_GRAPH_SHAPE',
    'features up to here',
    many(200, { out: 1024, kernel: 1 }, 127),
  ],
  [
    'the parameters are of bearable number',
    'E_GRAPH_SHAPE',
    'parameters up to here',
    many(3, { out: 65_536, kernel: 1 }, 1),
  ],
  [
    'the MACs are of bearable number',
    'E_GRAPH_SHAPE',
    'MACs up to here',
    many(20, { out: 255, kernel: 1023 }, 1023),
  ],
];

/** A chain of like convolutions on a square input. */
function many(count: number, fields: Json, side: number): Json {
  const nodes = Array.from({ length: count }, (_, i) =>
    map(`c${i}`, 'conv2d', fields, [i === 0 ? 'input' : `c${i - 1}`]),
  );
  return { ...copy(), input: { shape: [1, side, side] }, nodes, output: `c${count - 1}` };
}

test('every rule refuses what breaks it, with its code, in one bounded line', () => {
  for (const [rule, code, words, ...cases] of REFUSALS) {
    for (const [i, json] of cases.entries()) {
      const [note, message] = [`${rule}, case ${i}`, messageOf(() => parseGraph(json))];
      expect(
        codeOf(() => parseGraph(json)),
        `${note}: ${message}`,
      ).toBe(code);
      expect(message, note).toMatch(new RegExp(words));
      expect(message.length, note).toBeLessThan(700);
      expect(/\p{Cc}/u.test(message), note).toBe(false);
    }
  }
});

test('every rule of the tables has a refusal above', () => {
  const rules = [DOCUMENT_RULES, NODE_RULES, TOTAL_RULES, OUTPUT_RULES].flat().map(({ name }) => name);
  expect([...new Set(REFUSALS.map(([rule]) => rule))].sort()).toEqual([...rules].sort());
});

test('hostile prototypes reach no table and no global object', () => {
  const text = JSON.stringify(copy())
    .replace('"id":"stem"', '"id":"constructor"')
    .replace('"inputs":["stem"]', '"inputs":["constructor"]');
  expect(shapes(parseGraph(JSON.parse(text))).get('constructor')?.channels).toBe(8);
  expect(({} as Json).groups).toBeUndefined();
});

test('a message names the place, the field, what was received and the nearest known name', () => {
  expect(messageOf(() => parseGraph(changed('stem', { kernal: 3 })))).toBe(
    'network.json, node 0 ("conv2d" "stem"): unknown field "kernal"; the nearest is "kernel"',
  );
});

test('ten thousand nodes are checked in less than two seconds', () => {
  const body = Array.from({ length: 9_997 }, (_, i) =>
    map(`n${i}`, 'activation', { kind: 'relu' }, [i === 0 ? 'stem' : `n${i - 1}`]),
  );
  const [stem] = copy().nodes;
  const tail = copy()
    .nodes.slice(4)
    .map((node) => (node.id === 'pool' ? { ...node, inputs: ['n9996'] } : node));
  const start = performance.now();
  parseGraph({ ...copy(), nodes: [stem, ...body, ...tail] });
  expect(performance.now() - start).toBeLessThan(2000);
});

test('shapes are those of a naive forward pass', () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const graph = randomGraph(seed);
    const random = randomOf(seed);
    const run = forward(graph, randomWeights(graph, seed), tensor(graph.input.shape, random));
    for (const [id, { channels, block, size }] of shapes(graph)) {
      const want = size === null ? [channels * block] : [channels, ...size];
      expect(run.get(id)?.shape, `seed ${seed} ${id}`).toEqual(want);
    }
  }
});
