import { expect, test } from 'vitest';
import type { GraphNode, Value } from '../../lib/graph/ir.js';
import { ACTIVATION_KINDS, field, OPS, opOf } from '../../lib/graph/ops.js';
import { codeOf } from '../reference.js';

const MAP: Value = { channels: 4, block: 1, size: [7, 7] };
const node = (op: string, fields: object = {}): GraphNode => ({ id: 'x', op, inputs: ['y'], ...fields });

test('the table has the ops of the contract with their fields', () => {
  const fields = Object.fromEntries(Object.entries(OPS).map(([name, op]) => [name, Object.keys(op.fields)]));
  expect(fields).toEqual({
    conv2d: ['out', 'kernel', 'stride', 'padding', 'groups', 'bias', 'split'],
    depthwise_conv2d: ['kernel', 'stride', 'padding', 'bias'],
    linear: ['out', 'bias', 'split'],
    batch_norm: ['eps', 'momentum'],
    activation: ['kind'],
    add: [],
    max_pool: ['kernel', 'stride', 'padding'],
    avg_pool: ['kernel', 'stride', 'padding'],
    global_avg_pool: [],
    flatten: [],
    dropout: ['p'],
  });
});

test('defaults are those of the contract', () => {
  const conv = node('conv2d', { out: 8, kernel: 5 });
  expect(['stride', 'padding', 'groups', 'bias', 'split'].map((name) => field(conv, name))).toEqual([
    1,
    2,
    1,
    false,
    true,
  ]);
  expect(field(node('linear', { out: 2 }), 'bias')).toBe(true);
  expect(['eps', 'momentum'].map((name) => field(node('batch_norm'), name))).toEqual([1e-5, 0.1]);
  expect(['stride', 'padding'].map((name) => field(node('max_pool', { kernel: 3 }), name))).toEqual([3, 0]);
  expect(codeOf(() => field(conv, 'toString'))).toBe('E_GRAPH_FIELD');
  expect(codeOf(() => field(node('dropout'), 'p'))).toBe('E_GRAPH_FIELD');
  expect(codeOf(() => opOf(node('constructor')))).toBe('E_GRAPH_OP');
});

test('parameters have the names, shapes and starts of PyTorch', () => {
  const shaped = (n: GraphNode, input: Value) =>
    opOf(n)
      .parameters(n, [input])
      .map(({ name, axes, initial }) => [name, axes.map(({ size }) => size), initial]);
  // std sqrt(2 / fan_out), fan_out = k k out / groups
  expect(shaped(node('conv2d', { out: 8, kernel: 3, groups: 2, bias: true }), MAP)).toEqual([
    ['weight', [8, 2, 3, 3], { kind: 'normal', std: Math.sqrt(2 / 36) }],
    ['bias', [8], { kind: 'constant', value: 0 }],
  ]);
  expect(shaped(node('depthwise_conv2d', { kernel: 3 }), MAP)).toEqual([
    ['weight', [4, 1, 3, 3], { kind: 'normal', std: Math.sqrt(2 / 9) }],
  ]);
  const flat: Value = { channels: 4, block: 9, size: null };
  expect(shaped(node('linear', { out: 5 }), flat)).toEqual([
    ['weight', [5, 36], { kind: 'uniform', bound: 1 / 6 }],
    ['bias', [5], { kind: 'uniform', bound: 1 / 6 }],
  ]);
  expect(shaped(node('linear', { out: 5, bias: false }), flat)).toHaveLength(1);
  expect(shaped(node('batch_norm'), flat).map(([name, shape]) => [name, shape])).toEqual(
    ['weight', 'bias', 'running_mean', 'running_var'].map((name) => [name, [36]]),
  );
  const trained = opOf(node('batch_norm'))
    .parameters(node('batch_norm'), [MAP])
    .map(({ isTrained }) => isTrained);
  expect(trained).toEqual([true, true, false, false]);
});

test('every activation lowers to one of the native kinds, swish to silu', () => {
  const kinds = ACTIVATION_KINDS.map(
    (kind) => opOf(node('activation', { kind })).attributes(node('activation', { kind }), [MAP]).kind,
  );
  expect(kinds).toEqual(['relu', 'relu6', 'silu', 'softplus', 'tanh', 'sigmoid', 'gelu', 'identity', 'silu']);
});

test('flatten makes blocks of height x width, and of blocks blocks', () => {
  const flatten = node('flatten');
  expect(opOf(flatten).shape(flatten, [MAP])).toEqual({ channels: 4, block: 49, size: null });
  expect(opOf(flatten).shape(flatten, [{ channels: 4, block: 6, size: null }])).toEqual({
    channels: 4,
    block: 6,
    size: null,
  });
});
