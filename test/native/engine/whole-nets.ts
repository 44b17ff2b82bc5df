// Networks of several blocks: as MobileNet, as ResNet, and one with a node of every op.
import type { Graph } from '../../../lib/graph/ir.js';
import { graphOf, type ShortNode } from '../golden.js';

/** layer -> batch norm -> activation; the last node is `<id>_act`. */
function chain(
  id: string,
  op: string,
  from: string,
  fields: Readonly<Record<string, unknown>>,
  kind: string,
): ShortNode[] {
  return [
    [id, op, from, fields],
    [`${id}_norm`, 'batch_norm', id],
    [`${id}_act`, 'activation', `${id}_norm`, { kind }],
  ];
}

/** Depthwise separable blocks, two of them of stride 2, on 3 x 12 x 12. */
export function mobileNet(kind: string): Graph {
  const block = (id: string, from: string, out: number, stride: number): ShortNode[] => [
    ...chain(`${id}_dw`, 'depthwise_conv2d', from, { kernel: 3, stride }, kind),
    ...chain(id, 'conv2d', `${id}_dw_act`, { out, kernel: 1 }, kind),
  ];
  return graphOf(
    [3, 12, 12],
    [
      ...chain('stem', 'conv2d', 'input', { out: 8, kernel: 3 }, kind),
      ...block('a', 'stem_act', 13, 2),
      ...block('b', 'a_act', 21, 1),
      ...block('c', 'b_act', 24, 2),
      ['pool', 'global_avg_pool', 'c_act'],
      ['out', 'linear', 'pool', { out: 5 }],
    ],
  );
}

/** Residual blocks of dense convolutions, one with a projection of stride 2, on 3 x 10 x 10. */
export function residualNet(kind: string): Graph {
  const block = (id: string, from: string, out: number, stride: number): ShortNode[] => {
    const shortcut: ShortNode[] =
      stride === 1
        ? []
        : [
            [`${id}_short`, 'conv2d', from, { out, kernel: 1, stride }],
            [`${id}_short_norm`, 'batch_norm', `${id}_short`],
          ];
    return [
      ...chain(`${id}_1`, 'conv2d', from, { out, kernel: 3, stride }, kind),
      [`${id}_2`, 'conv2d', `${id}_1_act`, { out, kernel: 3 }],
      [`${id}_2_norm`, 'batch_norm', `${id}_2`],
      ...shortcut,
      [`${id}_sum`, 'add', [`${id}_2_norm`, stride === 1 ? from : `${id}_short_norm`]],
      [`${id}_act`, 'activation', `${id}_sum`, { kind }],
    ];
  };
  return graphOf(
    [3, 10, 10],
    [
      ...chain('stem', 'conv2d', 'input', { out: 6, kernel: 3 }, kind),
      ...block('a', 'stem_act', 6, 1),
      ...block('b', 'a_act', 11, 2),
      ['pool', 'global_avg_pool', 'b_act'],
      ['out', 'linear', 'pool', { out: 4 }],
    ],
  );
}

/** Inverted bottlenecks as of MobileNetV2, with linear projections and one residual sum, on 3 x 8 x 8. */
export function invertedNet(kind: string): Graph {
  const block = (id: string, from: string, wide: number, out: number, stride: number): ShortNode[] => [
    ...chain(`${id}_wide`, 'conv2d', from, { out: wide, kernel: 1 }, kind),
    ...chain(`${id}_dw`, 'depthwise_conv2d', `${id}_wide_act`, { kernel: 3, stride }, kind),
    [id, 'conv2d', `${id}_dw_act`, { out, kernel: 1 }],
    [`${id}_norm`, 'batch_norm', id],
  ];
  return graphOf(
    [3, 8, 8],
    [
      ...chain('stem', 'conv2d', 'input', { out: 5, kernel: 3, stride: 2 }, kind),
      ...block('a', 'stem_act', 13, 7, 1),
      ...block('b', 'a_norm', 16, 7, 1),
      ['sum', 'add', ['a_norm', 'b_norm']],
      ...block('c', 'sum', 21, 9, 2),
      ...chain('head', 'conv2d', 'c_norm', { out: 17, kernel: 1 }, kind),
      ['pool', 'global_avg_pool', 'head_act'],
      ['out', 'linear', 'pool', { out: 4 }],
    ],
  );
}

/** A node or more of every row of the op table, on 2 x 9 x 8; `pool` is the op of the first pool. */
export function everyOp(kind: string, pool: 'max_pool' | 'avg_pool' = 'max_pool'): Graph {
  return graphOf(
    [2, 9, 8],
    [
      ['first', 'batch_norm', 'input'],
      ...chain('stem', 'conv2d', 'first', { out: 6, kernel: 5, bias: true }, kind),
      ['pool', pool, 'stem_act', { kernel: 3, stride: 2, padding: 1 }],
      ...chain('grouped', 'conv2d', 'pool', { out: 9, kernel: 3, groups: 3 }, kind),
      ...chain('dw', 'depthwise_conv2d', 'grouped_act', { kernel: 3, bias: true }, 'tanh'),
      ['sum', 'add', ['grouped_act', 'dw', 'dw_act']],
      ['avg', 'avg_pool', 'sum', { kernel: 2, stride: 1 }],
      ['maps', 'dropout', 'avg', { p: 0.2 }],
      ['flat', 'flatten', 'maps'],
      ...chain('hidden', 'linear', 'flat', { out: 17, bias: false }, 'gelu'),
      ['drop', 'dropout', 'hidden_act', { p: 0.3 }],
      ['wide', 'conv2d', 'sum', { out: 17, kernel: 2, stride: 3, padding: 0 }],
      ['mean', 'global_avg_pool', 'wide'],
      ['both', 'add', ['drop', 'mean']],
      ['out', 'linear', 'both', { out: 5 }],
    ],
  );
}

/** Layers of enough neurons and weights that their splitting matrices are summed some neurons at a time, on 3 x 5 x 5. */
export function wideNet(kind: string): Graph {
  return graphOf(
    [3, 5, 5],
    [
      ...chain('stem', 'conv2d', 'input', { out: 50, kernel: 1 }, kind),
      ...chain('a', 'conv2d', 'stem_act', { out: 41, kernel: 1 }, kind),
      ...chain('b', 'conv2d', 'a_act', { out: 75, kernel: 2 }, kind),
      ['pool', 'global_avg_pool', 'b_act'],
      ['out', 'linear', 'pool', { out: 5 }],
    ],
  );
}
