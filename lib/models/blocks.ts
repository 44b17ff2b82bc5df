// What a block of each kind is made of: convolutions, batch norms, activations and shortcuts.
import type { GraphNode, NodeId } from '../graph/ir.js';
import { BATCH_NORM, samePadding } from '../graph/op-fields.js';

/** One block: its kind and its width, stride and inner width. */
export interface Block {
  readonly kind: BlockKind;
  /** Channels that it gives. */
  readonly width: number;
  readonly stride: number;
  /** Inner width of an inverted residual: `expansion` times its input, or `hidden` where that is given. */
  readonly expansion: number;
  readonly hidden?: number;
}

/** What all blocks of a network have in common. */
export interface BlockStyle {
  readonly activation: string;
  /** What joins an inverted residual of equal widths and stride 1: the input itself, or a learned 1x1 convolution of it. */
  readonly shortcut: 'identity' | 'conv';
}

/** Where a block attaches: the node before it and that node's width. */
export interface Join {
  readonly id: NodeId;
  readonly width: number;
}
export type Build = (name: string, from: Join, block: Block, style: BlockStyle) => readonly GraphNode[];

export const conv = (id: NodeId, from: NodeId, out: number, kernel: number, stride = 1): GraphNode => ({
  id,
  op: 'conv2d',
  inputs: [from],
  out,
  kernel,
  stride,
  padding: samePadding(kernel),
  bias: false,
});
export const depthwise = (id: NodeId, from: NodeId, stride: number): GraphNode => ({
  id,
  op: 'depthwise_conv2d',
  inputs: [from],
  kernel: 3,
  stride,
  padding: 1,
  bias: false,
});
export const batchNorm = (of: NodeId): GraphNode => ({
  id: `${of}_bn`,
  op: 'batch_norm',
  inputs: [of],
  eps: BATCH_NORM.eps.default,
  momentum: BATCH_NORM.momentum.default,
});
/** The layer, its batch norm, and its activation. */
const active = (layer: GraphNode, { activation }: BlockStyle): readonly GraphNode[] => [
  layer,
  batchNorm(layer.id),
  { id: `${layer.id}_act`, op: 'activation', inputs: [`${layer.id}_bn`], kind: activation },
];

const separable: Build = (name, from, { width, stride }, style) => [
  ...active(depthwise(`${name}_dw`, from.id, stride), style),
  ...active(conv(`${name}_pw`, `${name}_dw_act`, width, 1), style),
];

/** Sandler et al. 2018: expand, depthwise, project without activation; joined to its input where shapes allow. */
const invertedResidual: Build = (name, from, { width, stride, expansion, hidden }, style) => {
  const inner = hidden ?? from.width * expansion;
  const expand = inner === from.width ? [] : active(conv(`${name}_expand`, from.id, inner, 1), style);
  const project = conv(`${name}_project`, `${name}_dw_act`, width, 1);
  const body = [
    ...expand,
    ...active(depthwise(`${name}_dw`, expand.at(-1)?.id ?? from.id, stride), style),
    project,
    batchNorm(project.id),
  ];
  if (stride !== 1 || width !== from.width) return body;
  const shortcut = style.shortcut === 'conv' ? [conv(`${name}_shortcut`, from.id, width, 1)] : [];
  const ends = [`${project.id}_bn`, shortcut[0]?.id ?? from.id];
  return [...body, ...shortcut, { id: `${name}_add`, op: 'add', inputs: ends }];
};

/** Output channels of a bottleneck for each of its inner ones. */
export const BOTTLENECK = 4;

/** He et al. 2016: the body joined to its input, or to a 1x1 convolution of it where shapes differ; the activation comes last. */
const residual =
  (bodyOf: (name: string, from: Join, block: Block, style: BlockStyle) => readonly GraphNode[]): Build =>
  (name, from, block, style) => {
    const body = bodyOf(name, from, block, style);
    const isSame = block.stride === 1 && block.width === from.width;
    const down = conv(`${name}_shortcut`, from.id, block.width, 1, block.stride);
    const shortcut = isSame ? [] : [down, batchNorm(down.id)];
    const ends = [body.at(-1)?.id ?? from.id, shortcut.at(-1)?.id ?? from.id];
    const [add, act] = [`${name}_add`, `${name}_act`];
    return [
      ...body,
      ...shortcut,
      { id: add, op: 'add', inputs: ends },
      { id: act, op: 'activation', inputs: [add], kind: style.activation },
    ];
  };

const basic = residual((name, from, { width, stride }, style) => {
  const last = conv(`${name}_conv2`, `${name}_conv1_act`, width, 3);
  return [...active(conv(`${name}_conv1`, from.id, width, 3, stride), style), last, batchNorm(last.id)];
});

/** Version 1.5, torchvision's: the 3x3 convolution has the stride. */
const bottleneck = residual((name, from, { width, stride }, style) => {
  const inner = width / BOTTLENECK;
  const last = conv(`${name}_conv3`, `${name}_conv2_act`, width, 1);
  return [
    ...active(conv(`${name}_conv1`, from.id, inner, 1), style),
    ...active(conv(`${name}_conv2`, `${name}_conv1_act`, inner, 3, stride), style),
    last,
    batchNorm(last.id),
  ];
});

/** ResNet's first layers: 7x7 convolution and max pooling, each with the stride. */
const pooledStem: Build = (name, from, { width, stride }, style) => [
  ...active(conv(name, from.id, width, 7, stride), style),
  { id: `${name}_pool`, op: 'max_pool', inputs: [`${name}_act`], kernel: 3, stride, padding: 1 },
];

/** Kinds of blocks: `conv` 3x3, `pw` 1x1, `ds` depthwise separable (MobileNetV1), `ir` inverted residual (MobileNetV2), `stem`, `basic` and `bottle` of ResNet. */
export const BLOCKS = {
  conv: (name, from, { width, stride }, style) => active(conv(name, from.id, width, 3, stride), style),
  pw: (name, from, { width, stride }, style) => active(conv(name, from.id, width, 1, stride), style),
  ds: separable,
  ir: invertedResidual,
  stem: pooledStem,
  basic,
  bottle: bottleneck,
} as const satisfies Readonly<Record<string, Build>>;
export type BlockKind = keyof typeof BLOCKS;
