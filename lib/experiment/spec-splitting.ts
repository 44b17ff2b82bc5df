// The `splitting` part of an experiment: indices, choice and growth.
import { z } from 'zod';
import { ENERGIES } from '../graph/cost.js';
import { STRATEGIES } from '../split/strategies.js';

const share = z.number().min(0).lt(1);
const count = z.int().min(1);
const RATIO = z.number().positive();

const RMSPROP = z.strictObject({
  /** PyTorch's constants, the paper's; the authors' code has alpha 0.9, momentum 0.9 and decay 0.2 every 2 epochs. */
  alpha: share.default(0.99),
  momentum: share.default(0),
  epsilon: z.number().positive().default(1e-8),
  decayFactor: z.number().positive().default(1),
  decayEvery: count.default(2),
  /** Epoch, counted from 0, of the first decay; decayEvery where it is left out. The authors' CIFAR code: 1. */
  decayFirst: count.optional(),
});

/** What the linear relaxation takes a neuron to cost (lib/split/estimate.ts). */
const ENERGY = z.strictObject({
  estimate: z.enum(['marginal', 'own-layer']).default('marginal'),
  transform: z.enum(['none', 'sqrt', 'log']).default('none'),
});

const ROUNDING = z.strictObject({
  kind: z.enum(['exchange', 'threshold']).default('exchange'),
  threshold: z.number().positive().max(1).default(0.99),
});

const METHOD = z.enum(['exact', 'rayleigh', 'auto']);

const LINE_SEARCH = z.strictObject({
  /** The epsilons tried. */
  grid: z.array(z.number().positive()).min(1).default([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
  /** Training images that the loss is measured on. */
  images: count.default(1024),
  /** Statistics of batch norm that losses before and after a step are measured on, searched for or not. */
  statistics: z.enum(['running', 'batch']).default('running'),
});

/** A name that an experiment can have for a cost or strategy of the caller's own, and that `--set` can reach. */
export const OWN_NAME = /^[A-Za-z][\w-]{0,63}$/;
export const OWN = z.string().regex(OWN_NAME);

/** One of a table, or of the caller's own: which of them are there is known where the run starts (own.ts). */
const COST = z.union([z.enum(Object.keys(ENERGIES)), OWN]);
const STRATEGY = z.union([z.enum(Object.keys(STRATEGIES)), OWN]);

const FIELDS = z.strictObject({
  strategy: STRATEGY.default('energy-aware'),
  method: METHOD.default('rayleigh'),
  /** Other methods whose indices and choice are computed beside, to be compared. */
  alongside: z.array(METHOD).default([]),
  /** Rayleigh epochs, minibatch and rate. Section 4 of the paper. */
  epochs: count.default(10),
  batch: count.default(64),
  learningRate: z.number().positive().default(1e-3),
  rmsprop: RMSPROP.prefault({}),
  /** Step of the off-springs along the splitting direction. */
  epsilon: z.union([z.number().min(0), z.literal('line-search')]).default(0.01),
  /** Unit of epsilon: 1, or the length of each neuron's own weights. */
  epsilonScale: z.enum(['absolute', 'relative']).default('absolute'),
  lineSearch: LINE_SEARCH.prefault({}),
  /** Consumers read a neuron's off-springs at 1/2 + delta and 1/2 - delta of its weights. */
  outgoingDelta: z.number().gt(-0.5).lt(0.5).default(0),
  /** Power of a neuron's share by which its weights before a batch norm are scaled; 1/2: off-springs turn as fast as their parent. */
  rescale: z.number().min(0).max(2).default(0),
  /** Gaussian noise on the own weights of every copy, in lengths of them. */
  noise: z.number().min(0).default(0),
  /** Training images that batch norm's running statistics are estimated on anew after growth; 0: they are copied. */
  recalibrateImages: z.int().min(0).default(0),
  /** Distances of the off-springs after every epoch. */
  twins: z.boolean().default(false),
  /** Every budget may grow by this share a stage. A list gives every stage its own; its last number holds for all that follow. */
  growthRatio: z.union([RATIO, z.array(RATIO).min(1)]).default(0.5),
  /** MACs are limited whatever the cost. */
  cost: z.union([COST, z.array(COST).min(1)]).default('macs'),
  energy: ENERGY.prefault({}),
  budgets: z.enum(['total', 'two-groups']).default('total'),
  /** Most of a layer that a stage may split, as a share; or the largest width of each layer named. Null: no limit. */
  layerCap: z
    .union([z.number().positive().max(1), z.record(z.string(), count)])
    .nullable()
    .default(null),
  /** False: growthRatio limits the estimate alone. */
  hardLimit: z.boolean().default(true),
  rounding: ROUNDING.prefault({}),
  /** What becomes of the momentum of split layers. */
  optimizerState: z.enum(['reset', 'keep']).default('reset'),
  /** False: the step of a layer whose inputs are split too is not halved with its weights. */
  directionHalving: z.boolean().default(true),
  /** Mode of batch norms behind depthwise convolutions while indices are computed. */
  depthwiseBatchNorm: z.enum(['eval', 'train']).default('eval'),
  reluBeta: z.number().positive().default(3),
  identityCurvature: z.number().default(0),
  /** Training images that the indices are taken over; null: all. */
  images: count.nullable().default(null),
  /** Bytes that the exact method may take. */
  memoryLimit: count.default(2 ** 30),
});

export const SPLITTING = FIELDS.refine(
  ({ rounding, strategy }) => rounding.kind === 'exchange' || strategy === 'energy-aware',
  { path: ['rounding', 'kind'], message: 'expected exchange unless splitting.strategy is energy-aware' },
).refine(
  ({ energy, cost }) => energy.estimate === 'marginal' || [cost].flat().every((one) => one === 'macs'),
  { path: ['energy', 'estimate'], message: 'expected marginal unless splitting.cost is macs' },
);

export type SplittingSpec = z.output<typeof SPLITTING>;
