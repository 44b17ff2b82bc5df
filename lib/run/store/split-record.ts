// What a run leaves behind of everything between two stages: indices, choice and growth.
import type { StepRecord } from '../../split/step/step.js';

/** Splitting indices of one chain `layer -> [batch_norm] -> [activation]`. */
export interface ChainRecord {
  /** Id of the layer. */
  readonly id: string;
  /** How its indices were computed. */
  readonly method: 'exact' | 'rayleigh';
  /** Its neurons. */
  readonly neurons: number;
  /** Weights per neuron. */
  readonly dimension: number;
  /** Smallest eigenvalue of the splitting matrix of each. */
  readonly indices: readonly number[];
  /** |S v - lambda v| of each neuron. */
  readonly residuals: readonly number[];
  /** Epochs of the descent that it took; 0: exact; absent in records of older versions. */
  readonly epochs?: number;
  /** Neurons whose residual is above `splitting.tolerance`; absent in records of older versions. */
  readonly above?: number;
}

/** Counts of group indices in bins of equal width; `edges` has one entry more than `counts`. */
export interface Histogram {
  /** Bounds of the bins. */
  readonly edges: readonly number[];
  /** Of each bin. */
  readonly counts: readonly number[];
}

/** One neuron chosen for splitting, and why. */
export interface PickRecord {
  /** Channel group, by its first producer. */
  readonly group: string;
  /** Its place in the group, from 0. */
  readonly neuron: number;
  /** Splitting index: the sum over the producers tied in the group. */
  readonly index: number;
  /** Marginal cost under each budget when the choice was made, by budget name. */
  readonly costs: Readonly<Record<string, number>>;
  /** index / cost of the first budget: what energy-aware splitting orders by. */
  readonly ratio: number;
}

/** One budget of the choice: how much was allowed and used. */
export interface BudgetRecord {
  /** Name of the cost. */
  readonly cost: string;
  /** Cost of the network before, the hard limit after, and the true cost after. */
  readonly before: number;
  /** The most that the network after may cost. */
  readonly limit: number;
  /** What it costs. */
  readonly after: number;
  /** (after - before) / (limit - before). */
  readonly usedShare: number;
}

/** Proof of the choice: the relaxed optimum bounds every choice from below. */
export interface CertificateRecord {
  /** What solved the linear relaxation. */
  readonly solver: string;
  /** A row a cost, MACs first. */
  readonly budgets: readonly BudgetRecord[];
  /** Sum of the chosen indices. */
  readonly objective: number;
  /** Optimum of the linear relaxation (lower is better), null where the strategy solves none. */
  readonly bound: number | null;
  /** (objective - bound) / |bound|; 0 where there is nothing to gain. */
  readonly gap: number | null;
  /**
   * Budgets that `bound` leaves out, because splits together may cost less there than the sum of what each alone adds:
   * costs of the caller's own. Absent where it has all.
   */
  readonly boundWithout?: readonly string[];
  /** Neurons with a negative index, and in all. */
  readonly eligible: number;
  /** Neurons of all splittable groups. */
  readonly neurons: number;
  /** Budgets of the relaxation where they are not the true ones: `bound` is the optimum under these if limits are soft. */
  readonly estimates?: readonly {
    /** Cost, and group of layers where there are two. */
    readonly name: string;
    /** What the relaxation may spend. */
    readonly allowed: number;
    /** What the picks spend of it. */
    readonly used: number;
  }[];
  /** False where only the estimates were limited, and the true cost may be above `limit`; absent with `estimates`. */
  readonly isHard?: boolean;
}

/** The same stage by another method of computing indices, from which the run did not go on. */
export interface AlongsideRecord {
  /** The other method. */
  readonly method: 'exact' | 'rayleigh' | 'auto';
  /** Of the indices alone; not among the stage's seconds. */
  readonly seconds: number;
  /** Spearman's, of the indices of all neurons of splittable groups by both methods; null where all of one are equal. */
  readonly rankCorrelation: number | null;
  /** |A and B| / |A or B| of the neurons chosen by both. */
  readonly overlap: number;
  /** Neurons chosen; tied layers count once. */
  readonly chosen: number;
}

/** Everything between two stages: indices, choice, growth. */
export interface SplitRecord {
  /** Name of the strategy. */
  readonly strategy: string;
  /** Method asked for; the chains say which one each took. */
  readonly method: 'exact' | 'rayleigh' | 'auto';
  /** Splitting indices of every chain. */
  readonly chains: readonly ChainRecord[];
  /** Of the indices of all groups. */
  readonly histogram: Histogram;
  /** Neurons chosen, in order of preference. */
  readonly picks: readonly PickRecord[];
  /** What was reached of what could be. */
  readonly certificate: CertificateRecord;
  /** How far the off-springs were moved. */
  readonly step: StepRecord;
  /** Neurons split, for every tied producer: widths(k+1) = widths(k) + list length. */
  readonly neurons: Readonly<Record<string, readonly number[]>>;
  /** Neurons chosen; tied layers count once. Missing in records of version 0.1. */
  readonly chosen?: number;
  /** Other methods on the same network, where the experiment asks for them. */
  readonly alongside?: readonly AlongsideRecord[];
}
