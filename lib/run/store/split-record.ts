// The record of everything between two stages: indices, choice and growth.
import type { Graph } from '../../graph/ir.js';
import type { CertificateRecord } from '../../split/choose/certificate.js';
import type { Divided, SplitInstead } from '../../split/choose/insertion.js';
import type { PickRecord } from '../../split/choose/knapsack.js';
import type { ChainRecord } from '../../split/indices/indices.js';
import type { Method } from '../../split/indices/settings.js';
import { newChannels } from '../../split/step/insert.js';
import type { StepRecord } from '../../split/step/step.js';
import { integer } from '../../statistics/format.js';

/** Counts of group indices in bins of equal width; `edges` has one entry more than `counts`. */
export interface Histogram {
  /** Bounds of the bins. */
  readonly edges: readonly number[];
  /** How many indices lie in each bin. */
  readonly counts: readonly number[];
}

/** The same stage by another method of computing indices, from which the run did not go on. */
export interface OtherMethodRecord {
  /** The other method. */
  readonly method: Method;
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
  readonly method: Method;
  /** Splitting indices of every chain. */
  readonly chains: readonly ChainRecord[];
  /** The histogram of all group indices. */
  readonly histogram: Histogram;
  /** Neurons chosen, in order of preference. */
  readonly picks: readonly PickRecord[];
  /** What was reached of what could be. */
  readonly certificate: CertificateRecord;
  /** How far the offspring were moved. */
  readonly step: StepRecord;
  /** Neurons split, for every tied producer: widths(k+1) = widths(k) + list length + new neurons. */
  readonly neurons: Readonly<Record<string, readonly number[]>>;
  /** Neurons chosen; tied layers count once. Missing in records of version 0.1. */
  readonly chosen?: number;
  /** New neurons beside them, where the experiment asks for some. */
  readonly inserted?: InsertionRecord;
  /** Other methods on the same network, where the experiment asks for them. */
  readonly alongside?: readonly OtherMethodRecord[];
}

/** New neurons beside the splits of a stage. */
export interface InsertionRecord {
  /** Which kind. */
  readonly kind: string;
  /** How many; tied layers count once. */
  readonly count: number;
  /** How many were split; tied layers count once. */
  readonly split: number;
  /** New channels of every tied producer, behind the copies. */
  readonly neurons: Readonly<Record<string, number>>;
  /** Picks that were to become new neurons and were split. */
  readonly instead: readonly SplitInstead[];
  /** max|a - b| / max|a| of the logits a before and b after. */
  readonly functionError: number;
}

/** The record of a stage's new neurons. */
export function insertionRecord(
  graph: Graph,
  kind: string,
  { split, inserted, instead }: Divided,
  functionError: number,
): InsertionRecord {
  const count = [...inserted.values()].reduce((sum, one) => sum + one, 0);
  const neurons = newChannels(graph, inserted);
  return { kind, count, split: split.length, neurons, instead, functionError };
}

const BINS = 30;

/** Counts from the least to the greatest value. The last bin holds its upper edge too. */
export function histogramOf(values: readonly number[], bins = BINS): Histogram {
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const greatest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!(least < greatest))
    return { edges: values.length === 0 ? [0, 0] : [least, greatest], counts: [values.length] };
  const width = (greatest - least) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor((value - least) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges: [...Array.from({ length: bins }, (_, i) => least + i * width), greatest], counts };
}

/** What the methods that are not exact count. */
const COUNTED = [
  ['rayleigh', 'epochs of descent'],
  ['lobpcg', 'passes of lobpcg'],
] as const;

/** How long a stage's descent or lobpcg took, and neurons above the tolerance. Empty where every layer is exact, or the record is of an older version. */
export function descentText(
  chains: readonly Pick<ChainRecord, 'method' | 'neurons' | 'epochs' | 'above'>[],
): string {
  return COUNTED.flatMap(([name, counted]) => {
    const here = chains.filter(({ method }) => method === name);
    const epochs = here.flatMap((chain) => chain.epochs ?? []);
    if (epochs.length === 0) return [];
    const [least, most] = [Math.min(...epochs), Math.max(...epochs)];
    const sum = (of: (chain: (typeof here)[number]) => number): number =>
      here.reduce((all, chain) => all + of(chain), 0);
    const took = least === most ? integer(most) : `${integer(least)} to ${integer(most)}`;
    const above = integer(sum((chain) => chain.above ?? 0));
    return `${took} ${counted}, ${above} of ${integer(sum(({ neurons }) => neurons))} neurons above the tolerance`;
  }).join('; ');
}
