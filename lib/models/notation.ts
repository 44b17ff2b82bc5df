// Block strings: 'conv32s2 ds64 ds128s2 ir24t6s2n3' -> blocks -> nodes. What a preset's table is written in.
import { type ErrorCode, SplitgrowError } from '../errors.js';
import type { GraphNode } from '../graph/ir.js';
import { BLOCKS, type Block, type BlockKind, type BlockStyle, type Join } from './blocks.js';

const isKind = (kind: string): kind is BlockKind => Object.hasOwn(BLOCKS, kind);

/**
 * Blocks of a string of words kind + width + options: `s` stride (1), `t`
 * expansion (6), `e` inner width instead, `n` repeats (1); of the repeats only
 * the first has the stride.
 *
 * @throws `code` for a word that does not parse: E_INTERNAL, for most block strings are written by us.
 */
export function parseBlocks(text: string, code: ErrorCode = 'E_INTERNAL'): readonly Block[] {
  return text
    .trim()
    .split(/\s+/)
    .flatMap((word): readonly Block[] => {
      const [, kind = '', width = '', options = ''] = /^([a-z]+?)(\d+)((?:[sten]\d+)*)$/.exec(word) ?? [];
      if (!isKind(kind)) throw new SplitgrowError(code, `block string: cannot read "${word}"`);
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
