// indices: splitting indices and directions of a network over a batch file.
import { writeSafetensors } from '../data/safetensors.js';
import { refuseOtherIndices } from '../distributed/compared.js';
import { asRank } from '../distributed/ranks.js';
import { SplitgrowError } from '../errors.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { Device } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import {
  type ChainRecord,
  computeIndices,
  enoughEpochs,
  evenBatch,
  type IndicesRequest,
} from '../split/indices/indices.js';
import { INDEX_DEFAULTS, type Method } from '../split/indices/settings.js';
import { loadNetwork, refuseNotFinite } from '../train/network.js';
import { seedOf } from '../train/seeds.js';
import { loadBatch } from './batch.js';

export type { Method } from '../split/indices/settings.js';

/** What `indices` computes, and over which images. */
export interface IndicesCommandOptions {
  /** A network directory. */
  readonly network: string;
  /** Safetensors file with `images` float32 [N, C, H, W] and `labels` int64 [N]. */
  readonly batch: string;
  /** Default auto. */
  readonly method?: Method | undefined;
  /** Default 3. */
  readonly reluBeta?: number | undefined;
  /** Default 0. */
  readonly identityCurvature?: number | undefined;
  /** Epochs of the Rayleigh descent over the batch file; default max(10, ceil(2000 / minibatches)), minibatches being equal and of at most 128 images. */
  readonly epochs?: number | undefined;
  /** Most epochs of the descent, for neurons above the tolerance; default three times `epochs`. */
  readonly mostEpochs?: number | undefined;
  /** Most passes of lobpcg over the images, one product S p of every neuron each; default 12. */
  readonly passes?: number | undefined;
  /** Images of the batch file that are taken, chosen by the seed; default all. */
  readonly images?: number | undefined;
  /** Residual |S v - lambda v| at which a neuron is done, as a share of |lambda|; default 0.01. */
  readonly tolerance?: number | undefined;
  /** Default 1e-3. */
  readonly learningRate?: number | undefined;
  /** Momentum of the descent; default 0.9. */
  readonly momentum?: number | undefined;
  /** RMSprop's smoothing constant; default 0.9. */
  readonly alpha?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
  /** Where to write the splitting directions: `<id>` -> [neurons, d]. */
  readonly directions?: string | undefined;
}
/** What `indices` prints. */
export interface IndicesDocument {
  /** Method asked for. */
  readonly method: Method;
  /** Seconds that it took. */
  readonly seconds: number;
  /** Residuals above this share of |lambda| (or of a hundredth of the layer's largest) count as above. */
  readonly tolerance: number;
  /** Every chain layer -> [batch norm] -> [activation] whose neurons may be split. */
  readonly layers: readonly Required<ChainRecord>[];
}

/** Most images of a minibatch: larger than the paper's 64, for a file is small and its descent is to converge. */
const BATCH = 128;

/** @throws E_ARGUMENT */
function refuseImpossible({ epochs, mostEpochs, passes, tolerance, rmsprop }: IndicesRequest): void {
  const refuse = (name: string, expected: string, value: number | null): never => {
    throw new SplitgrowError('E_ARGUMENT', `indices: expected ${name} to be ${expected}, got ${value}`);
  };
  if (!(tolerance >= 0)) refuse('tolerance', '0 or more', tolerance);
  if (!(Number.isInteger(passes) && passes >= 1)) refuse('passes', 'a whole number of 1 or more', passes);
  if (mostEpochs !== null && !(mostEpochs >= epochs))
    refuse('mostEpochs', `the epochs (${epochs}) or more`, mostEpochs);
  for (const name of ['alpha', 'momentum'] as const)
    if (!(rmsprop[name] >= 0 && rmsprop[name] < 1)) refuse(name, '0 or more and below 1', rmsprop[name]);
}

function requestOf(options: IndicesCommandOptions, images: number): IndicesRequest {
  const batch = evenBatch(images, BATCH);
  return {
    ...INDEX_DEFAULTS,
    method: options.method ?? 'auto',
    batch,
    epochs: options.epochs ?? enoughEpochs(images, batch),
    tolerance: options.tolerance ?? INDEX_DEFAULTS.tolerance,
    mostEpochs: options.mostEpochs ?? INDEX_DEFAULTS.mostEpochs,
    passes: options.passes ?? INDEX_DEFAULTS.passes,
    learningRate: options.learningRate ?? INDEX_DEFAULTS.learningRate,
    rmsprop: {
      ...INDEX_DEFAULTS.rmsprop,
      alpha: options.alpha ?? INDEX_DEFAULTS.rmsprop.alpha,
      momentum: options.momentum ?? INDEX_DEFAULTS.rmsprop.momentum,
    },
    reluBeta: options.reluBeta ?? INDEX_DEFAULTS.reluBeta,
    identityCurvature: options.identityCurvature ?? INDEX_DEFAULTS.identityCurvature,
    images,
    seed: seedOf('indices', options.seed ?? 0),
  };
}

/** Flags that not every method takes, with the value that says nothing; the methods that do, and what the others lack. */
const OF_METHODS = [
  {
    flags: [
      ['epochs', '--epochs', undefined],
      ['mostEpochs', '--most-epochs', undefined],
      ['learningRate', '--learning-rate', INDEX_DEFAULTS.learningRate],
      ['momentum', '--momentum', INDEX_DEFAULTS.rmsprop.momentum],
      ['alpha', '--alpha', INDEX_DEFAULTS.rmsprop.alpha],
    ],
    methods: ['rayleigh'],
    others: 'has no descent',
  },
  {
    flags: [['passes', '--passes', INDEX_DEFAULTS.passes]],
    methods: ['lobpcg', 'auto'],
    others: 'has no passes of lobpcg',
  },
  {
    flags: [['tolerance', '--tolerance', INDEX_DEFAULTS.tolerance]],
    methods: ['rayleigh', 'lobpcg', 'auto'],
    others: 'does not stop by residuals',
  },
] as const satisfies readonly {
  readonly flags: readonly (readonly [keyof IndicesCommandOptions, string, number | undefined])[];
  readonly methods: readonly Method[];
  readonly others: string;
}[];

/** Tells what the method does not take. */
function noteUnused(options: IndicesCommandOptions, control: RunControl): void {
  const method = options.method ?? 'auto';
  for (const { flags, methods, others } of OF_METHODS) {
    const given = flags.flatMap(([name, flag, nothing]) => {
      const value = options[name];
      return value === undefined || value === nothing ? [] : [`${flag} ${value}`];
    });
    if (given.length > 0 && !methods.some((one) => one === method))
      note(control, 0, 'indices', `not used: ${given.join(', ')}; the method ${method} ${others}`);
  }
}

/** Splitting indices over a batch file; writes the directions where `directions` names a file. */
export async function indices(
  options: IndicesCommandOptions,
  control: RunControl = {},
): Promise<IndicesDocument> {
  return watched(control, (own) =>
    withThreads(options.threads, () => asRank((isWriter) => indicesOfRank(options, own, isWriter))),
  );
}

async function indicesOfRank(
  options: IndicesCommandOptions,
  control: RunControl,
  isWriter: boolean,
): Promise<IndicesDocument> {
  const device = options.device ?? 'cpu';
  noteUnused(options, control);
  using network = await loadNetwork(options.network, { device, control });
  const seed = options.seed ?? 0;
  const { data, count } = await loadBatch(options.batch, network.graph, device, {
    ...{ images: options.images, seed: seedOf('images', seed) },
  });
  using images = data;
  const request = requestOf(options, count);
  refuseImpossible(request);
  await refuseOtherIndices(request, { network, batch: options.batch, device });
  const where = { stage: 0, epoch: 0, epochs: 1 };
  using result = await computeIndices(network, images, request, { control, where });
  if (isWriter && options.directions !== undefined) {
    const directions = new Map(loadCore().readDirections(result.directions));
    refuseNotFinite(directions, options.directions);
    await writeSafetensors(options.directions, directions);
  }
  return {
    method: result.method,
    seconds: result.seconds,
    tolerance: request.tolerance,
    layers: result.chains,
  };
}
