// Which method computes the splitting indices of each layer when the experiment leaves it to `auto`: a model of the work.
import { shapes } from '../../graph/check.js';
import { macs } from '../../graph/cost.js';
import type { Graph } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { LINEAR_ACTIVATIONS } from '../../graph/ops.js';
import type { Chain } from '../../graph/program.js';
import { depthwiseNorms } from '../../graph/readers.js';
import type { IndexMethod, KeptByLobpcg } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import type { Network } from '../../train/network.js';
import type { IndexSettings } from './settings.js';

/**
 * Work in units of one multiply-accumulate of a convolution. With n neurons of d weights each, P positions an image,
 * N images, and V numbers in all values of an image:
 *   pass      2 N macs + value N V  forward, and backward without gradients of weights: once for exact; once for lobpcg,
 *                                   or in every pass of it where it cannot keep what it takes of the images of a layer
 *   product   2 N n d P             conv(x, p) and its weight gradient, in a pass through the network
 *   matrices  N n P d^2             sum of h x x^T: exact, and lobpcg where it keeps S
 *   eigen     n d^2, n d^3          smallest eigenpairs of S: bracketing them and reading S for small d, reduction for large
 *   pairs     n d^2                 all eigenpairs of S, of the sizes that are kept: lobpcg in its second pass, its last
 *   kept      2 N n d P             all products of a search by lobpcg that keeps x and h
 *   search    n d                   the small eigenproblems of a search
 * Measured by `node benchmarks/costs.mjs`, one thread, silu and relu: a unit is 0.021 ns. With relu a search takes
 * fewer products than with silu.
 */
export const WORK = {
  ...{ value: 15, matrices: 0.67, eigenSquare: 150, eigenCube: 0.96 },
  ...{ pairs: 1.2e4, kept: 18, search: 1.1e5 },
} as const;

/** Work of a pass over one image; `convolutions`: 2, or 3 of training, which has the gradients of weights too. */
export function passWork(graph: Graph, convolutions: 2 | 3): number {
  return convolutions * macs(graph) + WORK.value * numbersOf(graph);
}

/** Numbers in all values of an image, from the input to the logits. */
export function numbersOf(graph: Graph): number {
  return [...shapes(graph).values()].reduce(
    (sum, { channels, block, size }) => sum + channels * block * (size === null ? 1 : size[0] * size[1]),
    0,
  );
}

/** Bytes of a float32. */
const FLOAT = 4;

export interface AutoSettings {
  /** Images that the indices are taken over. */
  readonly images: number;
  /** Most passes of lobpcg. */
  readonly passes: number;
  /** Bytes that the exact method may take, and lobpcg for what it keeps of the images. */
  readonly memoryLimit: number;
  /** Second derivative of a chain without activation; 0 (default): its matrices are 0, and cost nothing. */
  readonly identityCurvature?: number;
  /** What lobpcg keeps of the images, one a chain of the lowered graph. */
  readonly kept: readonly KeptByLobpcg[];
}

/** What `auto` chooses from: the paper's descent never comes out cheaper at the same accuracy. */
type Choice = Exclude<IndexMethod, 'rayleigh'>;

interface Candidate {
  readonly exact: number;
  /** Where it keeps what it takes of the images, and where its products go through the network in every pass. */
  readonly lobpcg: number;
  readonly swept: number;
  /** Bytes of the splitting matrices, n d^2 float32. */
  readonly bytes: number;
  /** Bytes of what lobpcg keeps of the images; null: it cannot, and passes through the network. */
  readonly kept: number | null;
}

const FLAT: Candidate = { exact: 0, lobpcg: 0, swept: 0, bytes: 0, kept: 0 };

/** True for a chain whose activation has no curvature: its indices are 0, and no method has anything to compute. */
export function isFlat(graph: Graph, { activation }: Chain, identityCurvature: number): boolean {
  const kind = activation < 0 ? undefined : graph.nodes[activation - 1]?.kind;
  return identityCurvature === 0 && (kind === undefined || LINEAR_ACTIVATIONS.includes(kind));
}

/** Positions of an image in what each chain's layer gives. */
export function positionsOf(graph: Graph): readonly number[] {
  const values = shapes(graph);
  return lower(graph).chains.map(({ id }) => {
    const [height, width] = values.get(id)?.size ?? [1, 1];
    return height * width;
  });
}

/** What lobpcg keeps for each chain, as the native core says it; nothing where batch norms move their statistics in every pass. */
export function keptOf(
  { graph, handle }: Network,
  {
    images,
    depthwiseBatchNorm = 'eval',
  }: Pick<AutoSettings, 'images'> & Partial<Pick<IndexSettings, 'depthwiseBatchNorm'>>,
): readonly KeptByLobpcg[] {
  const positions = positionsOf(graph);
  if (depthwiseBatchNorm === 'train' && depthwiseNorms(graph).length > 0)
    return positions.map(() => ({ form: 'none', bytes: 0 }));
  return loadCore().keptByLobpcg(handle, positions, images);
}

function candidatesOf(graph: Graph, settings: AutoSettings): readonly Candidate[] {
  const { images, passes, identityCurvature = 0, kept } = settings;
  const positions = positionsOf(graph);
  return lower(graph).chains.map((chain, i) => {
    if (isFlat(graph, chain, identityCurvature)) return FLAT;
    const { neurons: n, dimension: d } = chain;
    const seen = images * (positions[i] ?? 1);
    const matrices = WORK.matrices * seen * n * d ** 2;
    const product = 2 * seen * n * d;
    const { form, bytes } = kept[i] ?? { form: 'none', bytes: 0 };
    const search = WORK.search * n * d;
    const swept = passes * product + search;
    const lobpcg = {
      none: swept,
      inputs: WORK.kept * product + search,
      matrices: matrices + WORK.pairs * n * d ** 2,
    };
    return {
      exact: matrices + WORK.eigenSquare * n * d ** 2 + WORK.eigenCube * n * d ** 3,
      lobpcg: lobpcg[form],
      swept,
      bytes: FLOAT * n * d * d,
      kept: form === 'none' ? null : bytes,
    };
  });
}

/** Which layers of lobpcg are kept: the small ones first, within the limit. */
function keptWithin(
  methods: readonly IndexMethod[],
  candidates: readonly Pick<Candidate, 'kept'>[],
  limit: number,
): readonly boolean[] {
  const bytesAt = (i: number): number => candidates[i]?.kept ?? Number.POSITIVE_INFINITY;
  const order = [...methods.keys()]
    .filter((i) => methods[i] === 'lobpcg')
    .sort((a, b) => bytesAt(a) - bytesAt(b));
  const kept = methods.map(() => false);
  let held = 0;
  for (const i of order) {
    held += bytesAt(i);
    kept[i] = held <= limit;
  }
  return kept;
}

/** What lobpcg keeps of each chain that it takes, within the memory limit. */
export function keptForms(
  network: Network,
  methods: readonly IndexMethod[],
  settings: Pick<IndexSettings, 'memoryLimit' | 'identityCurvature' | 'depthwiseBatchNorm'> & {
    readonly images: number;
  },
): readonly KeptByLobpcg['form'][] {
  if (!methods.includes('lobpcg')) return methods.map(() => 'none');
  const { chains } = lower(network.graph);
  const sizes = keptOf(network, settings);
  const candidates = chains.map((chain, i) => {
    if (isFlat(network.graph, chain, settings.identityCurvature)) return FLAT;
    const { form, bytes } = sizes[i] ?? { form: 'none', bytes: 0 };
    return { kept: form === 'none' ? null : bytes };
  });
  const isKept = keptWithin(methods, candidates, settings.memoryLimit);
  return sizes.map(({ form }, i) => (isKept[i] ? form : 'none'));
}

/** Takes chains of the largest matrices out of the exact method until the rest are within the limit. */
function withinMemory(methods: readonly Choice[], candidates: readonly Candidate[], limit: number): Choice[] {
  const kept = [...methods];
  const bytesAt = (i: number): number => candidates[i]?.bytes ?? 0;
  const order = [...kept.keys()].filter((i) => kept[i] === 'exact').sort((a, b) => bytesAt(b) - bytesAt(a));
  let held = order.reduce((sum, i) => sum + bytesAt(i), 0);
  for (const i of order) {
    if (held <= limit) break;
    kept[i] = 'lobpcg';
    held -= bytesAt(i);
  }
  return kept;
}

function workOf(
  methods: readonly Choice[],
  candidates: readonly Candidate[],
  pass: number,
  { passes, memoryLimit }: AutoSettings,
): number {
  const kept = keptWithin(methods, candidates, memoryLimit);
  const isSwept = methods.some((method, i) => method === 'lobpcg' && !kept[i]);
  const all = (methods.includes('exact') ? 1 : 0) + (methods.includes('lobpcg') ? (isSwept ? passes : 1) : 0);
  return candidates.reduce(
    (sum, { exact, lobpcg, swept }, i) => sum + (methods[i] === 'exact' ? exact : kept[i] ? lobpcg : swept),
    all * pass,
  );
}

export interface MethodChoice {
  /** One a chain of the lowered graph. */
  readonly methods: readonly Choice[];
  /** Work in units of WORK: of the choice, and of one method everywhere, whatever memory the exact one takes. */
  readonly work: Readonly<Record<'chosen' | Choice, number>>;
}

/** The cheapest method of each chain in all, within the memory limit, with what the model expects of it. */
export function weighMethods(graph: Graph, settings: AutoSettings): MethodChoice {
  const candidates = candidatesOf(graph, settings);
  const { memoryLimit } = settings;
  const pass = settings.images * passWork(graph, 2);
  const work = (methods: readonly Choice[]): number => workOf(methods, candidates, pass, settings);
  const each = candidates.map(({ exact, lobpcg }): Choice => (exact <= lobpcg ? 'exact' : 'lobpcg'));
  const [exact, lobpcg] = [each.map((): Choice => 'exact'), each.map((): Choice => 'lobpcg')];
  // A method of its own takes a pass through the network, and a layer that lobpcg cannot keep takes many.
  const kept = each.map((method, i): Choice => {
    const bytes = candidates[i]?.kept ?? null;
    return bytes === null || bytes > memoryLimit / 4 ? 'exact' : method;
  });
  const isKept = keptWithin(each, candidates, memoryLimit);
  const fitting = each.map((method, i): Choice => (isKept[i] ? method : 'exact'));
  const methods = [each, kept, fitting, exact, lobpcg]
    .map((option) => withinMemory(option, candidates, memoryLimit))
    .reduce((best, one) => (work(one) < work(best) ? one : best));
  return { methods, work: { chosen: work(methods), exact: work(exact), lobpcg: work(lobpcg) } };
}

/** The method of each chain of the lowered graph: the cheapest in all, within the memory limit. */
export function chooseMethods(graph: Graph, settings: AutoSettings): readonly Choice[] {
  return weighMethods(graph, settings).methods;
}
