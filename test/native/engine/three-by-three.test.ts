// Dense 3 x 3 convolutions at stride 1, which the engine computes in tiles of 4 x 4, against float64: maps and widths around its tiles.
import { test } from 'vitest';
import { graphOf, type ShortNode } from '../golden.js';
import { assertPrecisionsAgree } from './agreement.js';
import { around, BATCHES, cycled, startOf } from './nets.js';

/** [height, width]: whole tiles, one row or column beyond them or missing, one tile alone, more tiles than one unit takes. */
const MAPS = [
  [4, 4],
  [8, 8],
  [7, 12],
  [9, 8],
  [8, 13],
  [3, 16],
  [6, 6],
  [11, 4],
  [4, 37],
  [38, 5],
] as const;
const WIDTHS = [16, 13, 21, 48, 24, 32, 7] as const;
/** Without a kink, at which a rounding would decide. */
const ACTIVATIONS = ['silu', 'tanh', 'identity'] as const;

for (const padding of [0, 1, 2, 3]) {
  test(`3 x 3 convolutions with padding ${padding} agree with float64 on maps around the tiles`, async () => {
    for (const [i, [h, w]] of MAPS.entries()) {
      const at = i + 3 * padding;
      const [channels, out] = [cycled(WIDTHS, at), cycled(WIDTHS, 2 * at + 1)];
      // The output, not the input, has the size in the table.
      const size = [Math.max(1, h + 2 - 2 * padding), Math.max(1, w + 2 - 2 * padding)] as const;
      const nodes: readonly ShortNode[] = [
        ['conv', 'conv2d', 'before', { out, kernel: 3, padding, bias: at % 2 === 0 }],
        ['norm', 'batch_norm', 'conv'],
        ['act', 'activation', 'norm', { kind: cycled(ACTIVATIONS, at) }],
      ];
      const images = cycled(BATCHES.slice(2), at);
      await assertPrecisionsAgree(
        startOf(around(channels, size, at % 3 === 0 ? nodes.slice(0, 1) : nodes), images, at),
        `${channels} to ${out} channels, ${size}, ${images} images`,
      );
    }
  });
}

test('blocks of two 3 x 3 convolutions around which their input is added agree with float64', async () => {
  for (const [i, [h, w]] of MAPS.entries()) {
    const channels = cycled(WIDTHS, i);
    const nodes: readonly ShortNode[] = [
      ['one', 'conv2d', 'before', { out: channels, kernel: 3, padding: 1 }],
      ['norm', 'batch_norm', 'one'],
      ['act', 'activation', 'norm', { kind: 'silu' }],
      ['two', 'conv2d', 'act', { out: channels, kernel: 3, padding: 1, bias: true }],
      ['sum', 'add', ['before', 'two']],
    ];
    await assertPrecisionsAgree(
      startOf(around(channels, [h, w], nodes), 17, i),
      `${channels} channels, ${h} x ${w}`,
    );
  }
});

test('3 x 3 convolutions that read the images themselves agree with float64', async () => {
  for (const [i, [h, w]] of MAPS.entries()) {
    const graph = graphOf(
      [8 + i, h, w],
      [
        ['conv', 'conv2d', 'input', { out: cycled(WIDTHS, i), kernel: 3, padding: 1 }],
        ['norm', 'batch_norm', 'conv'],
        ['act', 'activation', 'norm', { kind: 'silu' }],
        ['flat', 'flatten', 'act'],
        ['out', 'linear', 'flat', { out: 3 }],
      ],
    );
    await assertPrecisionsAgree(startOf(graph, 33, i), `${8 + i} channels, ${h} x ${w}`);
  }
});
