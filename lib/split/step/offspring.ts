// Splits neurons of a network into offspring: the proof that step 0 keeps the function, and the choice of the step.
import { SplitgrowError } from '../../errors.js';
import { type GrowOptions, grow, type Plan } from '../../graph/grow.js';
import type { Graph, NodeId } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import type { Surgery } from '../../graph/program.js';
import { refuseAborted } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import type { DatasetHandle, DirectionsHandle, Statistics, TensorData } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { soundRemainder } from '../../train/minibatches.js';
import { type Network, networkOf } from '../../train/network.js';
import { floatsOf, relativeDirections } from './neuron-weights.js';
import { type Noise, withNoise, withPerturbed } from './noise.js';
import { type Rescale, withRescaled } from './rescale.js';
import { type EpsilonScale, predictedDecrease, type Step, type StepRecord } from './step.js';

/** Largest change of the logits at step 0, over the largest logit. Sums in another order round differently in float32; this leaves room. */
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

/** A copy of a network, with its statistics and its momentum. */
export function copyOf(network: Network): Promise<Network> {
  return splitNetwork(network, { splits: {} }, null, { epsilon: 0, momentum: 'keep' });
}

/** max|a - b| / max|a|; 0 for equal zeros. */
export function relativeChange(before: TensorData, after: TensorData): number {
  const [a, b] = [floatsOf(before), floatsOf(after)];
  let change = 0;
  let size = 0;
  a.forEach((value, i) => {
    const difference = Math.abs(value - (b[i] ?? Number.NaN));
    // Math.max keeps NaN, so that NaN does not count as no change.
    change = Math.max(change, difference);
    size = Math.max(size, Math.abs(value));
  });
  return change === 0 ? 0 : change / size;
}

async function logitsOf(network: Network, data: DatasetHandle, batch: number): Promise<TensorData> {
  return loadCore().forward(network.handle, data, { mode: 'eval', batch });
}

async function lossOf(
  network: Network,
  { data, images, batch, statistics = 'running' }: Probe,
): Promise<number> {
  const remainder = statistics === 'batch' ? soundRemainder(images, batch, network.graph) : 'keep';
  return (await loadCore().evaluate(network.handle, data, { batch, statistics, remainder }, null, null)).loss;
}

/** Images on which steps are measured. */
export interface Probe {
  readonly data: DatasetHandle;
  readonly images: number;
  readonly batch: number;
  /** Of batch norm; `batch`: those of each minibatch, as in training. Default: running. */
  readonly statistics?: Statistics;
}

export interface StepOptions extends GrowthOptions {
  readonly epsilon: number | 'line-search';
  /** Unit of epsilon: 1, or the length of each neuron's own weights. Default: absolute. */
  readonly epsilonScale?: EpsilonScale;
  /** Steps that the line search tries. */
  readonly grid: readonly number[];
  /** Splitting indices of every neuron, by layer. */
  readonly indices: ReadonlyMap<NodeId, ArrayLike<number>>;
  /** Shorter weights before batch norms. Default: none. */
  readonly rescale?: Rescale | null;
  /** Noise on the copies, besides the step. Default: none. */
  readonly noise?: Noise | null;
  /** Noise on all weights before batch norms, besides. Default: none. */
  readonly perturb?: Noise | null;
  readonly control?: RunControl;
}

/**
 * Splits the planned neurons. First it checks on the probe that step 0 leaves the logits as they are. Then it takes the
 * given step, or of the grid the one with the lowest loss on the probe.
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
  if (options.epsilonScale !== 'relative') {
    return bestStep(network, { growth, directions, lengths: null }, probe, options);
  }
  const relative = relativeDirections(network, directions);
  try {
    return await bestStep(network, { growth, ...relative }, probe, options);
  } finally {
    relative.directions.dispose();
  }
}

/** A growth, the directions of its step, and how long one epsilon is. */
interface DirectedGrowth extends Pick<Step, 'lengths'> {
  readonly growth: Growth;
  readonly directions: DirectionsHandle;
}

/** The network at one step, its weights rescaled where that is asked for. */
async function movedTo(
  network: Network,
  { growth, directions }: Pick<DirectedGrowth, 'growth' | 'directions'>,
  epsilon: number,
  options: StepOptions,
): Promise<Network> {
  const moved = await rewritten(network, growth, directions, epsilon, options);
  if (options.rescale === undefined || options.rescale === null) return moved;
  using still = moved;
  return withRescaled(still, growth.surgery, options.rescale);
}

/** The network at one step, rescaled and with noise where these are asked for. */
async function candidateAt(
  network: Network,
  { growth, directions }: DirectedGrowth,
  epsilon: number,
  options: StepOptions,
): Promise<Network> {
  const { noise = null, perturb = null } = options;
  const moved = await movedTo(network, { growth, directions }, epsilon, options);
  const noisy =
    noise === null ? moved : await replaced(moved, (one) => withNoise(one, growth.surgery, noise));
  return perturb === null ? noisy : await replaced(noisy, (one) => withPerturbed(one, perturb));
}

/** What `of` makes of a network, which is disposed of. */
export async function replaced<T>(network: Network, of: (network: Network) => Promise<T>): Promise<T> {
  using before = network;
  return await of(before);
}

/** A network at one step, and its loss on the probe. */
interface Tried {
  readonly network: Network;
  readonly epsilon: number;
  readonly loss: number;
}

async function tryAt(
  network: Network,
  directed: DirectedGrowth,
  epsilon: number,
  { probe, options }: { readonly probe: Probe; readonly options: StepOptions },
): Promise<Tried> {
  const candidate = await candidateAt(network, directed, epsilon, options);
  try {
    return { network: candidate, epsilon, loss: await lossOf(candidate, probe) };
  } catch (error) {
    candidate[Symbol.dispose]();
    throw error;
  }
}

/** The step of the grid with the lowest loss, its network to be disposed of, and all that were tried. */
async function bestOf(
  network: Network,
  directed: DirectedGrowth,
  grid: readonly number[],
  given: { readonly probe: Probe; readonly options: StepOptions },
): Promise<{ readonly best: Tried; readonly tried: StepRecord['tried'] }> {
  const tried: { readonly epsilon: number; readonly loss: number }[] = [];
  let best: Tried | null = null;
  try {
    for (const epsilon of grid) {
      refuseAborted(given.options.control ?? {});
      const one = await tryAt(network, directed, epsilon, given);
      const { loss } = one;
      if (Number.isFinite(loss)) tried.push({ epsilon, loss });
      const isBetter: boolean = Number.isFinite(loss) && (best === null || loss < best.loss);
      const worse: Tried | null = isBetter ? best : one;
      if (isBetter) best = one;
      worse?.network[Symbol.dispose]();
    }
  } catch (error) {
    best?.network[Symbol.dispose]();
    throw error;
  }
  if (best !== null) return { best, tried };
  throw new SplitgrowError(
    'E_NOT_FINITE',
    `growth: no finite loss at epsilon ${grid.join(', ')}; use a smaller splitting.epsilon`,
  );
}

/** The split at the best step, with its record. */
async function bestStep(
  network: Network,
  directed: DirectedGrowth,
  probe: Probe,
  options: StepOptions,
): Promise<{ readonly network: Network; readonly step: StepRecord }> {
  const { growth, directions, lengths } = directed;
  const functionError = await functionErrorOf(network, growth, directions, probe, options);
  const lossBefore = await lossOf(network, probe);
  const isSearch = options.epsilon === 'line-search';
  const grid = options.epsilon === 'line-search' ? options.grid : [options.epsilon];
  const { best, tried } = await bestOf(network, directed, grid, { probe, options });
  const step: StepRecord = {
    epsilon: best.epsilon,
    kind: isSearch ? 'line-search' : 'fixed',
    epsilonScale: options.epsilonScale ?? 'absolute',
    statistics: probe.statistics ?? 'running',
    lossBefore,
    lossAfter: best.loss,
    lossRecalibrated: null,
    predictedDecrease: predictedDecrease(
      { surgery: growth.surgery, epsilon: best.epsilon, lengths },
      options.indices,
    ),
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
  probe: Probe,
  options: StepOptions,
): Promise<number> {
  const still = await movedTo(network, { growth, directions }, 0, options);
  try {
    return await refuseOther(network, still, probe, 'at step 0');
  } finally {
    still.handle.dispose();
  }
}

/** How far the logits of two networks differ on the probe. @throws E_FUNCTION_CHANGED where that is more than rounding */
export async function refuseOther(
  before: Network,
  after: Network,
  { data, batch }: Probe,
  where: string,
): Promise<number> {
  const error = relativeChange(await logitsOf(before, data, batch), await logitsOf(after, data, batch));
  if (error < FUNCTION_TOLERANCE) return error;
  throw new SplitgrowError(
    'E_FUNCTION_CHANGED',
    `growth of "${before.graph.name}": expected logits to change by less than ${FUNCTION_TOLERANCE} ${where}, got ${error}`,
  );
}
