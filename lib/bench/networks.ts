// The networks that are timed: one preset or directory at several widths, and what is known of each without running it.

import { SplitgrowError } from '../errors.js';
import { macs, params } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { Chain } from '../graph/program.js';
import { buildPreset, type PresetOptions, ZOO } from '../models/zoo.js';
import { scaleWidths } from '../rivals/networks/width-multiplier.js';
import { graphOf, isPreset } from '../run/network-source.js';
import { isFlat, numbersOf } from '../split/indices/auto.js';
import type { Sizes } from './documents.js';
import { DEFAULT_NETWORK, type SplittingBenchOptions } from './options.js';

/** Bytes of a float32. */
const FLOAT = 4;
/** Times the network's own width. */
const DEFAULT_FACTORS = [1, 2, 4, 8] as const;

type Source = Pick<SplittingBenchOptions, 'network' | 'resolution' | 'preset'>;
type Widths = Pick<SplittingBenchOptions, 'network' | 'widths'>;

function widthField(network: string): { readonly isWhole: boolean; readonly own: number } {
  const field = isPreset(network) ? ZOO[network]?.options.width : undefined;
  return { isWhole: field?.kind === 'integer', own: typeof field?.default === 'number' ? field.default : 1 };
}

function ascending(widths: readonly number[]): readonly number[] {
  return [...new Set(widths)].sort((a, b) => a - b);
}

/** The widths asked for in ascending order, or 1, 2, 4 and 8 times the network's own. @throws E_ARGUMENT */
export function widthsOf({ network = DEFAULT_NETWORK, widths }: Widths): readonly number[] {
  const { own } = widthField(network);
  const chosen = ascending(widths ?? DEFAULT_FACTORS.map((factor) => factor * own));
  const wrong = chosen.find((width) => !(Number.isFinite(width) && width > 0));
  if (chosen.length > 0 && wrong === undefined) return chosen;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `bench splitting: expected widths above 0, at least one of them, got ${wrong ?? 'none'}`,
  );
}

/** `points` widths at equal ratios, ends among them; whole where the preset counts channels. @throws E_ARGUMENT */
export function widthsBetween(
  network: string,
  { from, to, points }: { readonly from: number; readonly to: number; readonly points: number },
): readonly number[] {
  if (!(from > 0 && to >= from)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `bench splitting: expected a range of widths above 0, the first no more than the last, got ${from} to ${to}`,
    );
  }
  const { isWhole } = widthField(network);
  const last = Math.max(1, points - 1);
  return ascending(
    Array.from({ length: points }, (_, at) => {
      const width = at === 0 ? from : at === last ? to : from * (to / from) ** (at / last);
      return isWhole ? Math.round(width) : Number(width.toPrecision(4));
    }),
  );
}

/** The graph at every width; all are checked before anything runs. @throws E_PRESET, E_FILE, E_GRAPH_* */
export async function graphsAt(source: Source, widths: readonly number[]): Promise<readonly Graph[]> {
  const { network = DEFAULT_NETWORK, resolution, preset = {} } = source;
  if (isPreset(network)) {
    const given = Object.fromEntries(
      Object.entries({ resolution, ...preset }).filter(([, value]) => value !== undefined),
    );
    return widths.map((width) => buildPreset(network, { ...given, width } as PresetOptions));
  }
  const graph = await graphOf({ network, resolution, preset });
  return widths.map((width) => scaleWidths(graph, width));
}

/** The chains whose matrices are summed: a chain without activation has none. */
export function summedChains(graph: Graph): readonly Chain[] {
  return lower(graph).chains.filter((chain) => !isFlat(graph, chain, 0));
}

/** Counted, not measured. */
export function sizesOf(graph: Graph): Sizes {
  const { chains } = lower(graph);
  const sum = (of: (n: number, d: number) => number, over: readonly Chain[] = chains): number =>
    over.reduce((total, { neurons, dimension }) => total + of(neurons, dimension), 0);
  return {
    macs: macs(graph),
    params: params(graph),
    chains: chains.length,
    neurons: sum((n) => n),
    largestDimension: Math.max(0, ...chains.map(({ dimension }) => dimension)),
    weights: sum((n, d) => n * d),
    matrixBytes: FLOAT * sum((n, d) => n * d * d, summedChains(graph)),
  };
}

/** Bytes of one minibatch's values, from the input to the logits. */
export function valueBytes(graph: Graph, batch: number): number {
  return FLOAT * batch * numbersOf(graph);
}
