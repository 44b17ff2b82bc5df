// What comes behind the maps: global pooling, flatten, linear layers and dropout, against float64.
import { test } from 'vitest';
import { graphOf, type ShortNode } from '../golden.js';
import { assertPrecisionsAgree } from './agreement.js';
import { around, BATCHES, CHANNELS, cycled, SIZES, startOf } from './nets.js';

test('linear layers behind flatten and behind global pooling agree with float64 at every width', async () => {
  for (const [i, width] of CHANNELS.entries()) {
    for (const op of ['flatten', 'global_avg_pool'] as const) {
      const nodes: readonly ShortNode[] = [
        ['v', op, 'before'],
        ['l', 'linear', 'v', { out: width, bias: i % 2 === 0 }],
        ['act', 'activation', 'l', { kind: 'silu' }],
        ['m', 'linear', 'act', { out: cycled(CHANNELS, i + 3) }],
      ];
      const [channels, images] = [cycled(CHANNELS, 3 * i), cycled(BATCHES, i)];
      const start = startOf(around(channels, cycled(SIZES, i), nodes), images, i);
      await assertPrecisionsAgree(start, `${op}: ${channels} to ${width}, ${images} images`);
    }
  }
});

test('global pooling and flatten of every size agree with float64', async () => {
  for (const [i, size] of SIZES.entries()) {
    for (const images of [1, 15, 16, 33]) {
      for (const op of ['flatten', 'global_avg_pool'] as const) {
        const nodes: readonly ShortNode[] = [
          ['act', 'activation', 'before', { kind: 'tanh' }],
          ['last', op, 'act'],
        ];
        const start = startOf(around(cycled(CHANNELS, i), size, nodes), images, i + images);
        await assertPrecisionsAgree(start, `${op} of ${size}, ${images} images`);
      }
    }
  }
});

test('a linear layer with batch norm and activation behind it agrees with float64', async () => {
  for (const [i, images] of BATCHES.slice(2).entries()) {
    const nodes: readonly ShortNode[] = [
      ['v', 'flatten', 'before'],
      ['l', 'linear', 'v', { out: cycled(CHANNELS, i) }],
      ['n', 'batch_norm', 'l'],
      ['s', 'activation', 'n', { kind: 'silu' }],
      ['m', 'linear', 's', { out: 13, bias: false }],
      ['last', 'batch_norm', 'm'],
    ];
    await assertPrecisionsAgree(startOf(around(5, [2, 3], nodes), images, i), `${images} images`);
  }
});

test('dropout of maps and of vectors has the same mask in both precisions', async () => {
  for (const [i, p] of [0, 0.1, 0.5, 0.9].entries()) {
    for (const images of [1, 16, 33]) {
      const nodes: readonly ShortNode[] = [
        ['drop', 'dropout', 'before', { p }],
        ['conv', 'conv2d', 'drop', { out: 13, kernel: 3 }],
        ['act', 'activation', 'conv', { kind: 'silu' }],
        ['again', 'dropout', 'act', { p }],
        ['flat_', 'flatten', 'again'],
        ['last', 'dropout', 'flat_', { p: 0.5 }],
      ];
      await assertPrecisionsAgree(
        startOf(around(5, [3, 4], nodes), images, 7 * i),
        `p ${p}, ${images} images`,
      );
    }
  }
});

test('dropout before a norm, of a value that others read raw, agrees with float64 at every place of a program', async () => {
  for (let before = 0; before <= 8; before += 1) {
    const layers = Array.from(
      { length: before },
      (_, i): ShortNode => [
        `c${i}`,
        'conv2d',
        i === 0 ? 'input' : `c${i - 1}`,
        { out: 4, kernel: 1, bias: true },
      ],
    );
    const graph = graphOf(
      [3, 2, 3],
      [
        ...layers,
        ['raw', 'conv2d', before === 0 ? 'input' : `c${before - 1}`, { out: 4, kernel: 3 }],
        ['drop', 'dropout', 'raw', { p: 0.1 }],
        ['norm', 'batch_norm', 'drop', { eps: 0.5 }],
        ['sum', 'add', ['norm', 'raw']],
        ['flat', 'flatten', 'sum'],
        ['out', 'linear', 'flat', { out: 3 }],
      ],
    );
    for (const images of [1, 20])
      await assertPrecisionsAgree(startOf(graph, images, 3), `${before} layers, ${images} images`);
  }
});
