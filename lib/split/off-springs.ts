// Splits neurons of a network into off-springs: the proof that step 0 keeps the function, and the choice of the step.
import { SplitgrowError } from '../errors.js';
import type { RunControl } from '../events.js';
import { type GrowOptions, grow, type Plan } from '../graph/grow.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { Surgery } from '../graph/program.js';
import { type DatasetHandle, type DirectionsHandle, loadCore, type TensorData } from '../native.js';
import { type Network, networkOf } from '../network.js';
import { refuseAborted } from '../train/control.js';

/** The step along the splitting directions: what was promised and what came. */
export interface StepRecord {
  /** The epsilon taken. */
  readonly epsilon: number;
  readonly kind: 'fixed' | 'line-search';
  /** Loss on the probe images in evaluation mode before and after splitting. */
  readonly lossBefore: number;
  readonly lossAfter: number;
  /** -sum(lambda) epsilon^2 / 2 and lossBefore - lossAfter; positive: the loss falls. */
  readonly predictedDecrease: number;
  readonly measuredDecrease: number;
  /** Every epsilon tried, with the loss that it gives. */
  readonly tried: readonly { readonly epsilon: number; readonly loss: number }[];
  /** Training images that the losses were measured on. */
  readonly images: number;
  /** max|a - b| / max|a| of the logits a before and b after splitting with epsilon 0. */
  readonly functionError: number;
}

/** Largest change of the logits at step 0, relative to the largest logit: float32 rounding of regrouped sums, with room. */
export const FUNCTION_TOLERANCE = 1e-5;

export interface GrowthOptions extends GrowOptions {
  /** What becomes of the momentum: forgotten, or shared out like the weights. */
  readonly momentum: 'reset' | 'keep';
}

interface Growth {
  readonly graph: Graph;
  readonly surgery: Surgery;
}

async function rewritten(
  network: Network,
  { graph, surgery }: Growth,
  directions: DirectionsHandle | null,
  epsilon: number,
  { momentum }: GrowthOptions,
): Promise<Network> {
  const handle = await loadCore().rewrite(
    network.handle,
    lower(graph),
    surgery,
    directions,
    epsilon,
    momentum,
  );
  return networkOf(graph, handle);
}

/** A new network with the planned neurons split at theta +- epsilon v; the old one stays as it is. */
export async function splitNetwork(
  network: Network,
  plan: Plan,
  directions: DirectionsHandle | null,
  { epsilon, ...options }: GrowthOptions & { readonly epsilon: number },
): Promise<Network> {
  return rewritten(network, grow(network.graph, plan, options), directions, epsilon, options);
}

/** The same network once more, statistics and momentum with it. */
export function copyOf(network: Network): Promise<Network> {
  return splitNetwork(network, { splits: {} }, null, { epsilon: 0, momentum: 'keep' });
}

function floatsOf({ data }: TensorData): Float32Array {
  const copy = new Uint8Array(data.byteLength);
  copy.set(data);
  return new Float32Array(copy.buffer);
}

/** max|a - b| / max|a|; 0 for equal zeros. */
export function relativeChange(before: TensorData, after: TensorData): number {
  const [a, b] = [floatsOf(before), floatsOf(after)];
  let change = 0;
  let size = 0;
  a.forEach((value, i) => {
    const difference = Math.abs(value - (b[i] ?? Number.NaN));
    // Math.max hands NaN on: it must not pass for no change.
    change = Math.max(change, difference);
    size = Math.max(size, Math.abs(value));
  });
  return change === 0 ? 0 : change / size;
}

async function logitsOf(network: Network, data: DatasetHandle, batch: number): Promise<TensorData> {
  return loadCore().forward(network.handle, data, { mode: 'eval', batch });
}

async function lossOf(network: Network, data: DatasetHandle, batch: number): Promise<number> {
  return (await loadCore().evaluate(network.handle, data, { batch }, null, null)).loss;
}

/** Images on which steps are measured. */
export interface Probe {
  readonly data: DatasetHandle;
  readonly images: number;
  readonly batch: number;
}

export interface StepOptions extends GrowthOptions {
  readonly epsilon: number | 'line-search';
  /** Steps that the line search tries. */
  readonly grid: readonly number[];
  /** Sum of the splitting indices of all neurons split. */
  readonly indexSum: number;
  readonly control?: RunControl;
}

/**
 * Sum of lambda epsilon^2 / 2: what the second-order expansion promises, as a decrease. It is exact to that order where
 * consumers add up the off-springs at once. Where a depthwise convolution and its activation come between, the
 * curvature of that activation counts too, which the paper's index leaves out: the measured decrease then differs.
 */
export function predictedDecrease(indexSum: number, epsilon: number): number {
  return (-indexSum * epsilon * epsilon) / 2;
}

/**
 * Splits, having shown on the probe that step 0 leaves the logits as they are,
 * with the step given or the one of the grid whose loss on the probe is lowest.
 *
 * @throws E_FUNCTION_CHANGED when step 0 moves the logits
 */
export async function splitChecked(
  network: Network,
  plan: Plan,
  directions: DirectionsHandle,
  probe: Probe,
  options: StepOptions,
): Promise<{ readonly network: Network; readonly step: StepRecord }> {
  const growth = grow(network.graph, plan, options);
  const functionError = await functionErrorOf(network, growth, directions, probe, options);
  const lossBefore = await lossOf(network, probe.data, probe.batch);
  const isSearch = options.epsilon === 'line-search';
  const grid = options.epsilon === 'line-search' ? options.grid : [options.epsilon];
  let best: { readonly network: Network; readonly epsilon: number; readonly loss: number } | null = null;
  const tried: { readonly epsilon: number; readonly loss: number }[] = [];
  for (const epsilon of grid) {
    if (options.control?.signal?.aborted === true) {
      best?.network.handle.dispose();
      refuseAborted(options.control);
    }
    const candidate = await rewritten(network, growth, directions, epsilon, options);
    const loss = await lossOf(candidate, probe.data, probe.batch);
    if (Number.isFinite(loss)) tried.push({ epsilon, loss });
    if (!Number.isFinite(loss) || (best !== null && loss >= best.loss)) {
      candidate.handle.dispose();
      continue;
    }
    best?.network.handle.dispose();
    best = { network: candidate, epsilon, loss };
  }
  if (best === null) {
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `growth: no finite loss at epsilon ${grid.join(', ')}; use a smaller splitting.epsilon`,
    );
  }
  const step: StepRecord = {
    epsilon: best.epsilon,
    kind: isSearch ? 'line-search' : 'fixed',
    lossBefore,
    lossAfter: best.loss,
    predictedDecrease: predictedDecrease(options.indexSum, best.epsilon),
    measuredDecrease: lossBefore - best.loss,
    tried,
    images: probe.images,
    functionError,
  };
  return { network: best.network, step };
}

async function functionErrorOf(
  network: Network,
  growth: Growth,
  directions: DirectionsHandle,
  { data, batch }: Probe,
  options: GrowthOptions,
): Promise<number> {
  const still = await rewritten(network, growth, directions, 0, options);
  try {
    const error = relativeChange(await logitsOf(network, data, batch), await logitsOf(still, data, batch));
    if (error < FUNCTION_TOLERANCE) return error;
    throw new SplitgrowError(
      'E_FUNCTION_CHANGED',
      `growth of "${network.graph.name}": expected logits to change by less than ${FUNCTION_TOLERANCE} at step 0, got ${error}`,
    );
  } finally {
    still.handle.dispose();
  }
}
