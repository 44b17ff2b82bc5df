// Convolutions of every kind, window, size and width against float64.
import { test } from 'vitest';
import { graphOf, type ShortNode } from '../golden.js';
import { assertPrecisionsAgree } from './agreement.js';
import { around, BATCHES, CHANNELS, cycled, SIZES, startOf } from './nets.js';

interface Kind {
  /** Channels that it reads, of about `n`. */
  readonly into: (n: number) => number;
  /** The op of `c` channels and its fields beside the window; `n`: a width to choose from. */
  readonly fields: (c: number, n: number) => readonly [string, Readonly<Record<string, unknown>>];
}

const KINDS: Readonly<Record<string, Kind>> = {
  dense: { into: (n) => n, fields: (_, n) => ['conv2d', { out: n }] },
  grouped: {
    into: (n) => (n % 3 === 0 ? n : 2 * Math.ceil(n / 2)),
    fields: (c, n) => {
      const groups = c % 3 === 0 ? 3 : 2;
      return ['conv2d', { out: groups * Math.ceil(n / groups), groups }];
    },
  },
  depthwise: { into: (n) => n, fields: () => ['depthwise_conv2d', {}] },
  'depthwise with several outputs a channel': {
    into: (n) => Math.ceil(n / 2),
    fields: (c, n) => ['conv2d', { out: c * (1 + (n % 3)), groups: c }],
  },
};

/** Windows of a kernel: strides 1 to 3, paddings 0 to 3. */
const windows = [1, 2, 3].flatMap((stride) => [0, 1, 2, 3].map((padding) => ({ stride, padding })));

let count = 0;
for (const [name, { into, fields }] of Object.entries(KINDS)) {
  for (const kernel of [1, 2, 3, 4, 5, 7]) {
    const first = count;
    count += windows.length;
    test(`${name} convolutions of kernel ${kernel}, alone and before batch norm and activation, agree with float64`, async () => {
      for (const [i, { stride, padding }] of windows.entries()) {
        const at = first + i;
        const fitting = SIZES.filter(([h, w]) => Math.min(h, w) + 2 * padding >= kernel);
        const [size, images] = [cycled(fitting, at), cycled(BATCHES, at)];
        const channels = into(cycled(CHANNELS, at));
        const [op, more] = fields(channels, cycled(CHANNELS, 3 * at + 1));
        const bias = at % 3 === 0;
        const conv: ShortNode = ['conv', op, 'before', { kernel, stride, padding, bias, ...more }];
        const dressed: ShortNode[] = [
          ['norm', 'batch_norm', 'conv'],
          ['act', 'activation', 'norm', { kind: 'silu' }],
        ];
        // Batch norm over one or two values is no function that float32 can follow.
        const isDressed = at % 2 === 1 && images > 2;
        const graph = around(channels, size, isDressed ? [conv, ...dressed] : [conv]);
        const note = `${channels} channels ${size} images ${images} ${JSON.stringify(conv)} ${isDressed ? 'dressed' : 'alone'}`;
        await assertPrecisionsAgree(startOf(graph, images, at), note);
      }
    });
  }
}

test('convolutions that read the images themselves agree with float64', async () => {
  for (const [i, channels] of [1, 2, 3, 4, 5, 16, 17].entries()) {
    for (const [j, { stride, padding }] of windows.entries()) {
      const [kernel, images] = [cycled([3, 1, 5, 2], i + j), cycled(BATCHES.slice(1), i + 2 * j)];
      const dense: ShortNode = [
        'conv',
        'conv2d',
        'input',
        { out: cycled(CHANNELS, i + j), kernel, stride, padding },
      ];
      const depthwise: ShortNode = ['conv', 'depthwise_conv2d', 'input', { kernel, stride, padding }];
      const graph = graphOf(
        [channels, 7, 6],
        [
          j % 4 === 3 ? depthwise : dense,
          ['norm', 'batch_norm', 'conv'],
          ['act', 'activation', 'norm', { kind: 'silu' }],
          ['flat', 'flatten', 'act'],
          ['out', 'linear', 'flat', { out: 3 }],
        ],
      );
      await assertPrecisionsAgree(
        startOf(graph, images, i + j),
        `${channels} channels, case ${j}, ${images} images`,
      );
    }
  }
});

test('layers of more than a hundred channels agree with float64', async () => {
  for (const [channels, out] of [
    [100, 130],
    [128, 96],
    [257, 65],
  ] as const) {
    for (const kernel of [1, 3]) {
      const nodes: readonly ShortNode[] = [
        ['conv', 'conv2d', 'before', { out, kernel }],
        ['norm', 'batch_norm', 'conv'],
        ['act', 'activation', 'norm', { kind: 'silu' }],
      ];
      await assertPrecisionsAgree(
        startOf(around(channels, [4, 5], nodes), 17, out),
        `${channels} to ${out}, kernel ${kernel}`,
      );
    }
  }
});
