import { expect, test } from 'vitest';
import { buildPreset } from '../../../lib/models/zoo.js';
import type { TensorData } from '../../../lib/native/face.js';
import { bnImportance, l1Importance } from '../../../lib/rivals/networks/importance.js';
import { floats, graphOf } from '../../native/golden.js';
import { codeOf, messageOf } from '../../reference.js';

/** Two tied layers with norms, a depthwise norm behind them, a layer without norm, a norm with two readers. */
const GRAPH = graphOf(
  [1, 4, 4],
  [
    ['a', 'conv2d', 'input', { out: 2, kernel: 1, bias: true }],
    ['a_bn', 'batch_norm', 'a'],
    ['b', 'conv2d', 'a_bn', { out: 2, kernel: 1 }],
    ['b_bn', 'batch_norm', 'b'],
    ['sum', 'add', ['a_bn', 'b_bn']],
    ['dw', 'depthwise_conv2d', 'sum', { kernel: 3 }],
    ['dw_bn', 'batch_norm', 'dw'],
    ['plain', 'conv2d', 'dw_bn', { out: 3, kernel: 1 }],
    ['late_bn', 'batch_norm', 'plain'],
    ['twice', 'add', ['plain', 'late_bn']],
    ['pool', 'global_avg_pool', 'twice'],
    ['hidden', 'linear', 'pool', { out: 2, split: false }],
    ['out', 'linear', 'hidden', { out: 2 }],
  ],
);
const weights = new Map<string, TensorData>([
  ['a.weight', floats([2, 1, 1, 1], (i) => [-3, 2][i] ?? 0)],
  ['a.bias', floats([2], () => 100)],
  ['b.weight', floats([2, 2, 1, 1], (i) => [1, -1, 0.5, 0][i] ?? 0)],
  ['plain.weight', floats([3, 2, 1, 1], (i) => i - 2)],
  ['a_bn.weight', floats([2], (i) => [-0.75, 0.25][i] ?? 0)],
  ['b_bn.weight', floats([2], (i) => [0.5, -0.5][i] ?? 0)],
  ['dw_bn.weight', floats([2], () => 9)],
  ['late_bn.weight', floats([3], () => 9)],
]);

test('L1 adds the own weights of all tied layers, neither biases nor depthwise filters, in splittable groups', () => {
  expect(l1Importance(GRAPH, weights)).toEqual(
    new Map([
      ['a', Float64Array.of(5, 2.5)],
      ['plain', Float64Array.of(3, 1, 5)],
    ]),
  );
});

test('Bn is the largest |gamma| right behind the tied layers; a layer without such a norm keeps its group out', () => {
  expect(bnImportance(GRAPH, weights)).toEqual(new Map([['a', Float64Array.of(0.75, 0.5)]]));
});

test('every group of MobileNetV1 has both importances, and none of the classifier', () => {
  const graph = buildPreset('mobilenet_cifar10', { width: 2 });
  const ids = ['stem', 'b1_pw', 'b2_pw', 'b3_pw', 'b4_pw'];
  const norms = ids.map((id) => [`${id}_bn.weight`, floats([2], () => 1)] as const);
  expect([...bnImportance(graph, new Map(norms)).keys()]).toEqual(ids);
  const layers = ids.map((id, i) => [`${id}.weight`, floats([2, i === 0 ? 27 : 2], () => 1)] as const);
  expect([...l1Importance(graph, new Map(layers))].map(([id, [sum]]) => [id, sum])).toEqual(
    ids.map((id, i) => [id, i === 0 ? 27 : 2]),
  );
});

test('a network without batch norms is refused by Bn, and tensors that do not fit by either', () => {
  const bare = graphOf(
    [1, 4, 4],
    [
      ['a', 'conv2d', 'input', { out: 2, kernel: 1 }],
      ['pool', 'global_avg_pool', 'a'],
      ['out', 'linear', 'pool', { out: 2 }],
    ],
  );
  expect(codeOf(() => bnImportance(bare, weights))).toBe('E_ARGUMENT');
  expect(codeOf(() => l1Importance(GRAPH, new Map()))).toBe('E_WEIGHTS');
  const short = new Map([...weights, ['b_bn.weight', floats([3], () => 1)] as const]);
  expect(messageOf(() => bnImportance(GRAPH, short))).toMatch(/"b_bn.weight" float32 of 2 numbers, got/);
});
