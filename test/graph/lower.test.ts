import { expect, test } from 'vitest';
import { channelGroups } from '../../lib/graph/channels.js';
import { parseGraph } from '../../lib/graph/check.js';
import { lower } from '../../lib/graph/lower.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { randomGraph } from '../random-graphs.js';

const programOf = (
  nodes: readonly (readonly [id: string, op: string, inputs: readonly string[], fields?: object])[],
) =>
  lower(
    parseGraph({
      format: 'splitgrow-network/1',
      name: 'g',
      input: { shape: [4, 8, 8] },
      nodes: nodes.map(([id, op, inputs, fields]) => ({ id, op, inputs, ...fields })),
      output: nodes.at(-1)?.[0],
    }),
  );
const W = { out: 4, kernel: 3 };
const END = [
  ['pool', 'global_avg_pool', ['last']],
  ['fc', 'linear', ['pool'], { out: 3 }],
] as const;

test('instructions read slots: 0 is the input, instruction i writes i + 1', () => {
  const program = programOf([
    ['a', 'conv2d', ['input'], { out: 6, kernel: 3, stride: 2, bias: true }],
    ['dw', 'depthwise_conv2d', ['a'], { kernel: 5 }],
    ['b', 'conv2d', ['dw'], { out: 6, kernel: 1, groups: 3 }],
    ['last', 'add', ['a', 'b']],
    ['flat', 'flatten', ['last']],
    ['fc', 'linear', ['flat'], { out: 3 }],
  ]);
  expect(program.instructions.map(({ op, inputs, attributes }) => [op, inputs, attributes])).toEqual([
    ['conv2d', [0], { stride: 2, padding: 1, groups: 1 }],
    ['conv2d', [1], { stride: 1, padding: 2, groups: 6 }],
    ['conv2d', [2], { stride: 1, padding: 0, groups: 3 }],
    ['add', [1, 3], {}],
    ['flatten', [4], {}],
    ['linear', [5], {}],
  ]);
  expect([program.output, program.classes, program.inputShape]).toEqual([6, 3, [4, 8, 8]]);
  expect(program.instructions[0]?.parameters.map(({ name, shape }) => [name, shape])).toEqual([
    ['a.weight', [6, 4, 3, 3]],
    ['a.bias', [6]],
  ]);
  expect(program.instructions[5]?.parameters[0]?.shape).toEqual([3, 6 * 4 * 4]);
});

test('a chain is the layer, its batch norm and its activation', () => {
  const { chains } = programOf([
    ['a', 'conv2d', ['input'], W],
    ['bn', 'batch_norm', ['a']],
    ['last', 'activation', ['bn'], { kind: 'relu' }],
    ...END,
  ]);
  expect(chains).toEqual([{ id: 'a', layer: 1, batchNorm: 2, activation: 3, neurons: 4, dimension: 36 }]);
});

test('a chain lacks what is not there, and takes an activation without a batch norm', () => {
  const { chains } = programOf([
    ['a', 'conv2d', ['input'], W],
    ['act', 'activation', ['a'], { kind: 'relu' }],
    ['last', 'conv2d', ['act'], W],
    ...END,
  ]);
  expect(chains.map(({ id, batchNorm, activation }) => [id, batchNorm, activation])).toEqual([
    ['a', -1, 2],
    ['last', -1, -1],
  ]);
});

test('a chain ends where its value is read twice', () => {
  const { chains } = programOf([
    ['a', 'conv2d', ['input'], W],
    ['bn', 'batch_norm', ['a']],
    ['act', 'activation', ['bn'], { kind: 'relu' }],
    ['b', 'conv2d', ['act'], W],
    ['last', 'add', ['bn', 'b']],
    ...END,
  ]);
  expect(chains.map(({ id, batchNorm, activation }) => [id, batchNorm, activation])).toEqual([
    ['a', 2, -1],
    ['b', -1, -1],
  ]);
});

test('an activation after an add is no part of a chain', () => {
  const { chains } = programOf([
    ['a', 'conv2d', ['input'], W],
    ['b', 'conv2d', ['a'], W],
    ['s', 'add', ['a', 'b']],
    ['last', 'activation', ['s'], { kind: 'relu' }],
    ...END,
  ]);
  expect(chains.map(({ activation }) => activation)).toEqual([-1, -1]);
});

test('layers of frozen groups have no chain, all others have one', () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const graph = randomGraph(seed);
    const splittable = channelGroups(graph)
      .filter((g) => g.isSplittable)
      .flatMap((g) => g.producers);
    expect(new Set(lower(graph).chains.map(({ id }) => id)), `seed ${seed}`).toEqual(new Set(splittable));
  }
});

test('a hidden linear layer has as many weights a neuron as its input has features', () => {
  const { chains } = programOf([
    ['flat', 'flatten', ['input']],
    ['h', 'linear', ['flat'], { out: 5 }],
    ['act', 'activation', ['h'], { kind: 'swish' }],
    ['fc', 'linear', ['act'], { out: 3 }],
  ]);
  expect(chains).toEqual([{ id: 'h', layer: 2, batchNorm: -1, activation: 3, neurons: 5, dimension: 256 }]);
});

test("the paper's CIFAR-10 networks have 5 and 8 chains", () => {
  expect(lower(buildPreset('mobilenet_cifar10', { blocks: 3 })).chains).toHaveLength(5);
  expect(lower(buildPreset('mobilenet_cifar10', { blocks: 6 })).chains).toHaveLength(8);
});
