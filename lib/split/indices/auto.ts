// Which method computes the splitting indices of each layer when the experiment leaves it to `auto`: a model of the work.
import { shapes } from '../../graph/check.js';
import { macs } from '../../graph/cost.js';
import type { Graph } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { LINEAR_ACTIVATIONS } from '../../graph/ops.js';
import type { Chain } from '../../graph/program.js';
import type { IndexMethod } from '../../native/face.js';

/**
 * Work in units of one multiply-accumulate of training (forward and backward
 * count 3 of them). With n neurons of d weights each, P positions an image, and
 * N images:
 *   pass      3 N macs              forward and backward: once for exact, once for lobpcg; where lobpcg cannot keep what
 *                                   products take of the images of a layer, in every pass
 *   matrices  N n P d^2             sum of h x x^T
 *   eigen     n d^2, n d^3          smallest eigenpairs: bracketing them and reading S for small d, reduction for large
 *   product   2 N n d P             conv(x, p) and its weight gradient in a pass through the network
 *   kept      2 N n d P             the same from what lobpcg keeps of the images, for `directions` of a neuron
 *   search    n                     the small eigenproblems of lobpcg
 * Measured by `node benchmarks/costs.mjs` on a busy machine, one thread: a unit is 0.02 ns. `kept`, `directions` and
 * `search` are estimates.
 */
export const WORK = {
  ...{ pass: 1, matrices: 0.9, eigenSquare: 12, eigenCube: 2.9, product: 1.8 },
  ...{ kept: 1, directions: 14, search: 6e6 },
} as const;

/** Most weights of a neuron for which lobpcg keeps S, without a window and with one; as `native/core/engine/kept.cc` has it. */
const KEEPS_MATRICES = { windowless: 48, windowed: 160 } as const;

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
}

/** What `auto` chooses from: the paper's descent never comes out cheaper at the same accuracy. */
type Choice = Exclude<IndexMethod, 'rayleigh'>;

interface Candidate {
  readonly exact: number;
  readonly lobpcg: number;
  /** Of a pass of the paper's descent. */
  readonly product: number;
  /** Bytes of the splitting matrices, n d^2 float32. */
  readonly bytes: number;
  /** Bytes of what lobpcg keeps of the images; null: it cannot, and passes through the network. */
  readonly kept: number | null;
}

const FLAT: Candidate = { exact: 0, lobpcg: 0, product: 0, bytes: 0, kept: 0 };

/** True for a chain whose activation has no curvature: its indices are 0, and no method has anything to compute. */
export function isFlat(graph: Graph, { activation }: Chain, identityCurvature: number): boolean {
  const kind = activation < 0 ? undefined : graph.nodes[activation - 1]?.kind;
  return identityCurvature === 0 && (kind === undefined || LINEAR_ACTIVATIONS.includes(kind));
}

/** Whether a layer reads more than one position at a time, or leaves some out. */
function hasWindow(graph: Graph, id: string): boolean {
  const {
    kernel = 1,
    stride = 1,
    padding = 0,
    groups = 1,
  } = (graph.nodes.find((node) => node.id === id) ?? {}) as Readonly<Record<string, unknown>>;
  return kernel !== 1 || stride !== 1 || padding !== 0 || groups !== 1;
}

function candidateOf(
  graph: Graph,
  { images, identityCurvature = 0 }: AutoSettings,
): (chain: Chain) => Candidate {
  const values = shapes(graph);
  return (chain) => {
    if (isFlat(graph, chain, identityCurvature)) return FLAT;
    const { id, neurons: n, dimension: d } = chain;
    const [height, width] = values.get(id)?.size ?? [1, 1];
    const seen = images * height * width;
    const matrices = WORK.matrices * seen * n * d ** 2;
    const product = WORK.product * 2 * seen * n * d;
    const isWindowed = hasWindow(graph, id);
    const isSummed = d <= KEEPS_MATRICES[isWindowed ? 'windowed' : 'windowless'];
    const bytes = FLOAT * n * d * d;
    const directions = Math.min(d, WORK.directions) * WORK.kept * 2 * seen * n * d;
    return {
      exact: matrices + WORK.eigenSquare * n * d ** 2 + WORK.eigenCube * n * d ** 3,
      lobpcg: (isSummed ? matrices : directions) + WORK.search * n,
      product,
      bytes,
      kept: isSummed ? bytes : isWindowed ? null : FLOAT * seen * (n + d),
    };
  };
}

/** Whether lobpcg keeps all that its layers take of the images: the small ones first, within the limit. */
function keepsAll(methods: readonly Choice[], candidates: readonly Candidate[], limit: number): boolean {
  const kept = candidates.filter((_, i) => methods[i] === 'lobpcg').map((candidate) => candidate.kept);
  return !kept.includes(null) && kept.reduce((sum: number, bytes) => sum + (bytes ?? 0), 0) <= limit;
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
  const ofLobpcg = keepsAll(methods, candidates, memoryLimit) ? 1 : passes;
  const all = (methods.includes('lobpcg') ? ofLobpcg : 0) + (methods.includes('exact') ? 1 : 0);
  return candidates.reduce((sum, candidate, i) => sum + candidate[methods[i] ?? 'exact'], all * pass);
}

export interface MethodChoice {
  /** One a chain of the lowered graph. */
  readonly methods: readonly Choice[];
  /**
   * Work in units of WORK: of the choice, and of one method everywhere, whatever memory the exact one takes. `descent`: of
   * `passes` epochs of the paper's.
   */
  readonly work: Readonly<Record<'chosen' | Choice | 'descent', number>>;
}

/** The cheapest method of each chain in all, within the memory limit, with what the model expects of it. */
export function weighMethods(graph: Graph, settings: AutoSettings): MethodChoice {
  const candidates = lower(graph).chains.map(candidateOf(graph, settings));
  const { passes, memoryLimit } = settings;
  const pass = WORK.pass * 3 * settings.images * macs(graph);
  const work = (methods: readonly Choice[]): number => workOf(methods, candidates, pass, settings);
  const each = candidates.map(({ exact, lobpcg }): Choice => (exact <= lobpcg ? 'exact' : 'lobpcg'));
  const [exact, lobpcg] = [each.map((): Choice => 'exact'), each.map((): Choice => 'lobpcg')];
  // A method of its own takes a pass through the network, and a layer that lobpcg cannot keep takes many.
  const kept = each.map((method, i): Choice => {
    const bytes = candidates[i]?.kept ?? null;
    return bytes === null || bytes > memoryLimit / 4 ? 'exact' : method;
  });
  const methods = [each, kept, exact, lobpcg]
    .map((option) => withinMemory(option, candidates, memoryLimit))
    .reduce((best, one) => (work(one) < work(best) ? one : best));
  const descent = candidates.reduce((sum, { product }) => sum + passes * product, passes * pass);
  return { methods, work: { chosen: work(methods), exact: work(exact), lobpcg: work(lobpcg), descent } };
}

/** The method of each chain of the lowered graph: the cheapest in all, within the memory limit. */
export function chooseMethods(graph: Graph, settings: AutoSettings): readonly Choice[] {
  return weighMethods(graph, settings).methods;
}
