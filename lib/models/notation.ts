// Block strings: 'conv32s2 ds64 ds128s2 ir24t6s2n3' -> blocks -> nodes. What a preset's table is written in.
import { SplitgrowError } from '../errors.js';
import type { GraphNode, NodeId } from '../graph/ir.js';

/** One block: its kind and its width, stride and inner width. */
export interface Block {
  readonly kind: BlockKind;
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
interface Join {
  readonly id: NodeId;
  readonly width: number;
}
type Build = (name: string, from: Join, block: Block, style: BlockStyle) => readonly GraphNode[];

const conv = (id: NodeId, from: NodeId, out: number, kernel: number, stride = 1): GraphNode => ({
  id,
  op: 'conv2d',
  inputs: [from],
  out,
  kernel,
  stride,
  padding: Math.floor(kernel / 2),
  bias: false,
});
const depthwise = (id: NodeId, from: NodeId, stride: number): GraphNode => ({
  id,
  op: 'depthwise_conv2d',
  inputs: [from],
  kernel: 3,
  stride,
  padding: 1,
  bias: false,
});
const batchNorm = (of: NodeId): GraphNode => ({
  id: `${of}_bn`,
  op: 'batch_norm',
  inputs: [of],
  eps: 1e-5,
  momentum: 0.1,
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

/** Kinds of blocks: `conv` 3x3, `pw` 1x1, `ds` depthwise separable (MobileNetV1), `ir` inverted residual (MobileNetV2). */
const BLOCKS = {
  conv: (name, from, { width, stride }, style) => active(conv(name, from.id, width, 3, stride), style),
  pw: (name, from, { width, stride }, style) => active(conv(name, from.id, width, 1, stride), style),
  ds: separable,
  ir: invertedResidual,
} as const satisfies Readonly<Record<string, Build>>;
export type BlockKind = keyof typeof BLOCKS;

const isKind = (kind: string): kind is BlockKind => Object.hasOwn(BLOCKS, kind);

/**
 * Blocks of a string of words kind + width + options: `s` stride (1), `t`
 * expansion (6), `e` inner width instead, `n` repeats (1); of the repeats only
 * the first has the stride.
 *
 * @throws E_INTERNAL for a word that does not parse: block strings are written by us.
 */
export function parseBlocks(text: string): readonly Block[] {
  return text.split(/\s+/).flatMap((word): readonly Block[] => {
    const [, kind = '', width = '', options = ''] = /^([a-z]+?)(\d+)((?:[sten]\d+)*)$/.exec(word) ?? [];
    if (!isKind(kind)) throw new SplitgrowError('E_INTERNAL', `block string: cannot read "${word}"`);
    const option = (letter: string): number | undefined => {
      const found = new RegExp(`${letter}(\\d+)`).exec(options)?.[1];
      return found === undefined ? undefined : Number(found);
    };
    const hidden = option('e');
    const block: Block = {
      kind,
      width: Number(width),
      stride: option('s') ?? 1,
      expansion: option('t') ?? 6,
      ...(hidden && { hidden }),
    };
    return Array.from({ length: option('n') ?? 1 }, (_, i) => (i === 0 ? block : { ...block, stride: 1 }));
  });
}

/** Blocks with each width put through `scale` (the inner widths follow, unless given as `hidden`). */
export function scaleBlocks(blocks: readonly Block[], scale: (width: number) => number): readonly Block[] {
  return blocks.map((block) => ({ ...block, width: scale(block.width) }));
}

/**
 * Nodes of a chain of blocks from the network input of `channels` channels. The first is "stem", a last `pw` one
 * "head", the others b1, b2 and so on; layers of a block are told apart by a suffix (b1_dw, b1_pw_bn).
 */
export function blockNodes(
  blocks: readonly Block[],
  channels: number,
  style: BlockStyle,
): readonly GraphNode[] {
  const nodes: GraphNode[] = [];
  let from: Join = { id: 'input', width: channels };
  for (const [i, block] of blocks.entries()) {
    const isHead = block.kind === 'pw' && i === blocks.length - 1;
    const name = i === 0 ? 'stem' : isHead ? 'head' : `b${i}`;
    nodes.push(...BLOCKS[block.kind](name, from, block, style));
    from = { id: nodes.at(-1)?.id ?? from.id, width: block.width };
  }
  return nodes;
}
