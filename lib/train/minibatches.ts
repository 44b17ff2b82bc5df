// How many minibatches an epoch has, and what becomes of a last one that is not full.
import { SplitgrowError } from '../errors.js';
import { shapes } from '../graph/check.js';
import type { Graph } from '../graph/ir.js';
import { opOf } from '../graph/ops.js';
import type { Remainder } from '../native/face.js';

/** What an experiment says of its minibatches. */
export interface Batching {
  /** Of all ranks together. */
  readonly batch: number;
  /** Left out: `keep`, but `join` where batch norm could not take the remainder. */
  readonly remainder?: Remainder | undefined;
}

/** The minibatches of an epoch. */
export interface Minibatches {
  readonly steps: number;
  readonly remainder: Remainder;
  /** Images that a pass of training needs at least. */
  readonly leastImages: number;
  /** What a note should say; null where the minibatches are PyTorch's. */
  readonly note: string | null;
}

/** The batch norms that see one value a channel and image: behind a global pool, a flattening or a linear layer. */
export function narrowNorms(graph: Graph): readonly string[] {
  const values = shapes(graph);
  return graph.nodes.flatMap((node) => {
    const [height, width] = values.get(node.id)?.size ?? [1, 1];
    return opOf(node).chain === 'batch_norm' && height * width === 1 ? [node.id] : [];
  });
}

/** Images that one pass of training needs: batch norm has no variance of a single value a channel. */
export function leastImages(graph: Graph): number {
  return narrowNorms(graph).length > 0 ? 2 : 1;
}

/** What becomes of a remainder where nothing says it: kept, as PyTorch does, but joined where batch norm could not take it. */
export function soundRemainder(images: number, batch: number, graph: Graph): Remainder {
  const rest = images % batch;
  return rest > 0 && rest < leastImages(graph) ? 'join' : 'keep';
}

const counted = (images: number): string => `${images} image${images === 1 ? '' : 's'}`;

/**
 * The minibatches of an epoch over `images` training images. PyTorch's, but for a remainder of one image that batch norm cannot
 * take: it is joined to the minibatch before it.
 *
 * ```
 * 33 images, batch 16, batch norm behind a global pool: 16 and 17 images; remainder 'drop': 16 and 16; 'keep': refused
 * ```
 *
 * @throws E_EXPERIMENT naming images, batch and remainder, where a minibatch is too small for batch norm or none is left
 */
export function minibatches(images: number, { batch, remainder }: Batching, graph: Graph): Minibatches {
  const [norm] = narrowNorms(graph);
  const least = leastImages(graph);
  const [whole, rest] = [Math.floor(images / batch), images % batch];
  const made = `${counted(images)} in minibatches of ${batch}`;
  const needs = `batch norm "${norm}" in training needs ${least} images or more, as it has one value a channel and image`;
  if (norm !== undefined && Math.min(images, batch) < least) {
    const [field, found] = batch < least ? ['fit.batch', batch] : ['data.trainImages', images];
    throw new SplitgrowError('E_EXPERIMENT', `${field}: ${needs}, got ${found}; take more`);
  }
  if (remainder === 'drop' && whole === 0) {
    throw new SplitgrowError(
      'E_EXPERIMENT',
      `fit.remainder: drop leaves no minibatch of ${made}; take a smaller fit.batch, or keep`,
    );
  }
  const isTooSmall = rest > 0 && rest < least;
  if (isTooSmall && remainder === 'keep') {
    throw new SplitgrowError(
      'E_EXPERIMENT',
      `fit.remainder: keep leaves a last minibatch of ${counted(rest)} (${made}), and ${needs}; take join or drop, or another fit.batch`,
    );
  }
  const taken = remainder ?? soundRemainder(images, batch, graph);
  const isMore = rest > 0 && (taken === 'keep' || (taken === 'join' && whole === 0));
  return {
    steps: whole + (isMore ? 1 : 0),
    remainder: taken,
    leastImages: least,
    note:
      isTooSmall && remainder === undefined
        ? `${made} leave ${counted(rest)}; ${needs}: it joins the minibatch before it (fit.remainder says otherwise)`
        : null,
  };
}
