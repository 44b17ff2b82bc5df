// Multiply-adds of splitting indices, by method: what a search counts when methods are compared at equal compute.
import type { Graph } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import type { IndexMethod, KeptByLobpcg } from '../../native/face.js';
import { passesCompute } from '../../train/compute.js';
import { isFlat, positionsOf } from './auto.js';

/** Bytes of a float32. */
const FLOAT = 4;

/** What is read of a chain's record. */
export interface Searched {
  readonly id: string;
  readonly method: IndexMethod;
  /** Epochs of the descent, or passes of lobpcg. */
  readonly epochs: number;
}

export interface SearchSettings {
  /** Images that the indices were taken over. */
  readonly images: number;
  readonly identityCurvature: number;
  /** Bytes that the exact method's matrices may take. */
  readonly memoryLimit: number;
  /** What lobpcg kept of the images, one a chain of the lowered graph. */
  readonly kept: readonly KeptByLobpcg['form'][];
}

/** One chain with n neurons of d weights each, at P positions of each of N images. */
interface Layer {
  readonly n: number;
  readonly d: number;
  /** N P */
  readonly seen: number;
  readonly epochs: number;
  readonly kept: KeptByLobpcg['form'];
  readonly isFlat: boolean;
}

/** Forward and backward passes over all images, and multiply-adds of a layer besides. */
interface Row {
  readonly passes: (layers: readonly Layer[], memoryLimit: number) => number;
  readonly layer: (layer: Layer) => number;
}

/** S p of one direction a neuron is conv(x, p) and its weight gradient. */
const product = ({ n, d, seen }: Layer): number => 2 * seen * n * d;
/** The upper triangle of the sum of h x x^T. */
const matrices = ({ n, d, seen }: Layer): number => (seen * n * d * (d + 1)) / 2;

/**
 * Each method in multiply-adds. E: epochs of the descent, or passes of lobpcg, that the layer took.
 *
 *   exact      one pass a sweep + N P n d (d + 1) / 2
 *   rayleigh   one pass an epoch + E x 2 N P n d
 *   lobpcg     one pass, and one in every later pass of a layer of which nothing is kept;
 *              E x 2 N P n d; where S is kept N P n d (d + 1) / 2, and n d^2 a direction: 1 in the first pass, d in two
 *
 * lobpcg counts one direction a neuron and pass. In late passes neurons that are done have none, and slow ones several.
 * Smallest eigenpairs of matrices that are summed already are no passes and do not count.
 */
const METHODS: Readonly<Record<IndexMethod, Row>> = {
  exact: { passes: sweepsOf, layer: matrices },
  rayleigh: {
    passes: (layers) => Math.max(0, ...layers.map(({ epochs }) => epochs)),
    layer: (layer) => layer.epochs * product(layer),
  },
  lobpcg: {
    passes: (layers) => {
      const curved = layers.filter((layer) => !layer.isFlat);
      const swept = curved.filter(({ kept }) => kept === 'none');
      return Math.max(Math.min(1, curved.length), ...swept.map(({ epochs }) => epochs));
    },
    layer: (layer) => {
      const { n, d, epochs, kept } = layer;
      if (kept !== 'matrices') return epochs * product(layer);
      return matrices(layer) + (epochs > 1 ? d : 1) * n * d * d;
    },
  },
};

/** Sweeps of the exact method: the matrices of the neurons in one of them fit the memory limit, or are one neuron's. */
function sweepsOf(layers: readonly Layer[], memoryLimit: number): number {
  let [sweeps, left] = [layers.length > 0 ? 1 : 0, memoryLimit];
  let isEmpty = true;
  for (const { n, d, isFlat: hasNone } of layers) {
    if (hasNone) continue;
    const each = FLOAT * d * d;
    for (let rest = n; rest > 0; ) {
      const count = Math.min(rest, Math.max(isEmpty ? 1 : 0, Math.floor(left / each)));
      rest -= count;
      left -= count * each;
      isEmpty = false;
      if (rest > 0) [sweeps, left, isEmpty] = [sweeps + 1, memoryLimit, true];
    }
  }
  return sweeps;
}

/** Multiply-adds of the splitting indices of a graph's chains. */
export function indicesCompute(graph: Graph, chains: readonly Searched[], settings: SearchSettings): number {
  const { images, identityCurvature, memoryLimit, kept } = settings;
  const positions = positionsOf(graph);
  const found = new Map(chains.map((chain) => [chain.id, chain] as const));
  const layers = lower(graph).chains.flatMap((chain, i) => {
    const searched = found.get(chain.id);
    if (searched === undefined) return [];
    const { neurons: n, dimension: d } = chain;
    const layer: Layer = {
      ...{ n, d, seen: images * (positions[i] ?? 1), epochs: searched.epochs, kept: kept[i] ?? 'none' },
      isFlat: isFlat(graph, chain, identityCurvature),
    };
    return [{ method: searched.method, layer }];
  });
  return Object.entries(METHODS).reduce((sum, [method, row]) => {
    const own = layers.filter((one) => one.method === method).map(({ layer }) => layer);
    const passes = passesCompute(graph, images * row.passes(own, memoryLimit));
    return own.reduce((all, layer) => all + (layer.isFlat ? 0 : row.layer(layer)), sum + passes);
  }, 0);
}
