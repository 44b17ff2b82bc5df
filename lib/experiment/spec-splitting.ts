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
  lineSearch: LINE_SEARCH.prefault({}),
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
