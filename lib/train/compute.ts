// Multiply-adds of training: what "equal compute" means, and the total of a run. Those of splitting indices are in lib/split/indices/work.ts.
import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { type Batching, minibatches } from './minibatches.js';

/**
 * Multiply-adds of one pass over one image, in MACs of the graph: a backward pass counts twice, whether or not it makes
 * gradients of weights. Activations, batch norm, the optimizer and evaluations on test images do not count.
 *
 *   training    3 macs(graph) I E             an epoch takes I images, and there are E
 *   losses      macs(graph) I                 forward alone: line searches, checks of the function, running statistics
 *
 * ```
 * 10 epochs of 33 images, batch 16, of a network of 1,000 MACs: 3 x 1,000 x 33 x 10 = 990,000; remainder 'drop': 960,000
 * ```
 */
export const PASSES = { forward: 1, backward: 2 } as const;

/** A forward and a backward pass. */
const BOTH = PASSES.forward + PASSES.backward;

/** Multiply-adds of forward passes over so many images. */
export function forwardCompute(graph: Graph, images: number): number {
  return PASSES.forward * macs(graph) * images;
}

/** Multiply-adds of forward and backward passes over so many images, at the resolution of the graph's input. */
export function passesCompute(graph: Graph, images: number): number {
  return BOTH * macs(graph) * images;
}

/** Images that an epoch takes: `drop` leaves the last minibatch out where it is not full. @throws E_EXPERIMENT as `minibatches` */
export function imagesOfEpoch(images: number, batching: Batching, graph: Graph): number {
  const { remainder } = minibatches(images, batching, graph);
  return remainder === 'drop' ? images - (images % batching.batch) : images;
}

/** Multiply-adds of a stage, as stage.json has them. */
export interface ComputeRecord {
  /** Of the epochs of the network that growth goes on from. */
  readonly fit: number;
  /** Of the epochs that finished a copy; absent where there are none. */
  readonly finish?: number;
  /** Of splitting indices, line search, checks of the function and running statistics after this stage; 0 before it is split. */
  readonly search: number;
}

/** What is read of a stage. */
interface Worked {
  readonly record: { readonly compute?: ComputeRecord };
}

/**
 * Multiply-adds that a run spent up to the network of a stage: the fit and the finishing of all stages up to it, and the
 * search of the stages before it. All finishing is part of it, though growth goes on without. Null where a record of an
 * older version lacks them.
 */
export function runCompute(stages: readonly Worked[], stage: number): number | null {
  return summed(stages.slice(0, stage + 1), ({ fit, finish = 0, search }, at) =>
    at < stage ? fit + finish + search : fit + finish,
  );
}

/** Multiply-adds up to the architecture of a stage: fit and search of all stages before it, without finishing. Null as above. */
export function growthCompute(stages: readonly Worked[], stage: number): number | null {
  return summed(stages.slice(0, stage), ({ fit, search }) => fit + search);
}

function summed(
  stages: readonly Worked[],
  of: (compute: ComputeRecord, at: number) => number,
): number | null {
  let sum = 0;
  for (const [at, { record }] of stages.entries()) {
    if (record.compute === undefined) return null;
    sum += of(record.compute, at);
  }
  return sum;
}
