// The `splitting` part of an experiment: indices, choice and growth.
import { z } from 'zod';

const share = z.number().min(0).lt(1);
const count = z.int().min(1);

const RMSPROP = z.strictObject({
  /** PyTorch's constants, the paper's; the authors' code has alpha 0.9, momentum 0.9 and decay 0.2 every 2 epochs. */
  alpha: share.default(0.99),
  momentum: share.default(0),
  epsilon: z.number().positive().default(1e-8),
  decayFactor: z.number().positive().default(1),
  decayEvery: count.default(2),
});

const LINE_SEARCH = z.strictObject({
  /** The epsilons tried. */
  grid: z.array(z.number().positive()).min(1).default([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
  /** Training images that the loss is measured on. */
  images: count.default(1024),
  /** Statistics of batch norm that losses before and after a step are measured on, searched for or not. */
  statistics: z.enum(['running', 'batch']).default('running'),
});

const COST = z.enum(['macs', 'params']);
export const SPLITTING = z.strictObject({
  strategy: z.enum(['energy-aware', 'vanilla', 'random']).default('energy-aware'),
  method: z.enum(['exact', 'rayleigh', 'auto']).default('rayleigh'),
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
  /** Gaussian noise on the own weights of every copy, in lengths of them. */
  noise: z.number().min(0).default(0),
  /** Training images that batch norm's running statistics are estimated on anew after growth; 0: they are copied. */
  recalibrateImages: z.int().min(0).default(0),
  /** Distances of the off-springs after every epoch. */
  twins: z.boolean().default(false),
  /** Every budget may grow by this share a stage. */
  growthRatio: z.number().positive().default(0.5),
  /** MACs are limited whatever the cost. */
  cost: z.union([COST, z.array(COST).min(1)]).default('macs'),
  /** What becomes of the momentum of split layers. */
  optimizerState: z.enum(['reset', 'keep']).default('reset'),
  reluBeta: z.number().positive().default(3),
  identityCurvature: z.number().default(0),
  /** Training images that the indices are taken over; null: all. */
  images: count.nullable().default(null),
  /** Bytes that the exact method may take. */
  memoryLimit: count.default(2 ** 30),
});

export type SplittingSpec = z.output<typeof SPLITTING>;
