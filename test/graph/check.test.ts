import { expect, test } from 'vitest';
import { parseGraph, shapes } from '../../lib/graph/check.js';
import { DOCUMENT_RULES, OUTPUT_RULES } from '../../lib/graph/document.js';
import { NODE_RULES, TOTAL_RULES } from '../../lib/graph/rules.js';
import { buildPreset, ZOO } from '../../lib/models/zoo.js';
import { randomGraph, randomWeights } from '../random-graphs.js';
import { codeOf, forward, messageOf, randomOf, tensor } from '../reference.js';

import { changed, copy, EXAMPLE, type Json, map } from './example.js';
import { DOCUMENT_REFUSALS } from './refusals-document.js';
import { NODE_REFUSALS } from './refusals-node.js';

const REFUSALS = [...DOCUMENT_REFUSALS, ...NODE_REFUSALS];

test('a graph that meets every rule is returned as given, defaults not written in', () => {
  expect(parseGraph(EXAMPLE)).toEqual(EXAMPLE);
  const bare = changed('stem', { stride: undefined, padding: undefined, bias: undefined });
  expect(parseGraph(bare)).toEqual(bare);
  const { mean: _mean, std: _std, ...input } = EXAMPLE.input;
  expect(parseGraph({ ...copy(), input })).toEqual({ ...copy(), input });
  const classes = [...Array(9).keys()].map(String).concat('__proto__');
  const whole = { ...copy(), input: { ...EXAMPLE.input, shortSide: 36 }, classes };
  expect(parseGraph(whole)).toEqual(whole);
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
    'network.json, node 0 ("conv2d" "stem"): unknown field "kernal"; did you mean "kernel"?',
  );
});

test('ten thousand nodes in a row are accepted', () => {
  const body = Array.from({ length: 9_997 }, (_, i) =>
    map(`n${i}`, 'activation', { kind: 'relu' }, [i === 0 ? 'stem' : `n${i - 1}`]),
  );
  const [stem] = copy().nodes;
  const tail = copy()
    .nodes.slice(4)
    .map((node) => (node.id === 'pool' ? { ...node, inputs: ['n9996'] } : node));
  const nodes = [stem, ...body, ...tail];
  expect(parseGraph({ ...copy(), nodes }).nodes).toHaveLength(nodes.length);
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
