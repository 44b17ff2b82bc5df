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
 * count 3 of them). With n neurons of d weights each, P positions an image, N
 * images and T passes of lobpcg:
 *   pass      3 N macs              forward and backward: once for exact, T times where a layer has lobpcg
 *   matrices  N n P d^2             sum of h x x^T, one matrix product a chain
 *   eigen     n d^2, n d^3          smallest eigenpairs: bracketing them and reading S for small d, reduction for large
 *   product   2 T N n d P           conv(x, p) and its weight gradient
 * Measured on mobilenet_cifar10 of width 16 to 256, one thread: a unit is 0.07 ns.
 */
export const WORK = { pass: 1, matrices: 0.3, eigenSquare: 30, eigenCube: 0.4, product: 0.2 } as const;

/** Bytes of a float32. */
const FLOAT = 4;

export interface AutoSettings {
  /** Images that the indices are taken over. */
  readonly images: number;
  /** Most passes of lobpcg. */
  readonly passes: number;
  /** Bytes that the exact method may take. */
  readonly memoryLimit: number;
  /** Second derivative of a chain without activation; 0 (default): its matrices are 0, and cost nothing. */
  readonly identityCurvature?: number;
}

/** What `auto` chooses from: the paper's descent never comes out cheaper at the same accuracy. */
type Choice = Exclude<IndexMethod, 'rayleigh'>;

interface Candidate {
  readonly exact: number;
  readonly lobpcg: number;
  /** Bytes of the splitting matrices, n d^2 float32. */
  readonly bytes: number;
}

/** True for a chain whose activation has no curvature: its indices are 0, and no method has anything to compute. */
export function isFlat(graph: Graph, { activation }: Chain, identityCurvature: number): boolean {
  const kind = activation < 0 ? undefined : graph.nodes[activation - 1]?.kind;
  return identityCurvature === 0 && (kind === undefined || LINEAR_ACTIVATIONS.includes(kind));
}

function candidateOf(
  graph: Graph,
  { images, passes, identityCurvature = 0 }: AutoSettings,
): (chain: Chain) => Candidate {
  const values = shapes(graph);
  return (chain) => {
    if (isFlat(graph, chain, identityCurvature)) return { exact: 0, lobpcg: 0, bytes: 0 };
    const { id, neurons: n, dimension: d } = chain;
    const [height, width] = values.get(id)?.size ?? [1, 1];
    const seen = images * height * width;
    return {
      exact: WORK.matrices * seen * n * d ** 2 + WORK.eigenSquare * n * d ** 2 + WORK.eigenCube * n * d ** 3,
      lobpcg: WORK.product * 2 * passes * seen * n * d,
      bytes: FLOAT * n * d * d,
    };
  };
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
  passes: number,
): number {
  const all = methods.includes('lobpcg') ? passes + (methods.includes('exact') ? 1 : 0) : 1;
  return candidates.reduce((sum, candidate, i) => sum + candidate[methods[i] ?? 'exact'], all * pass);
}

export interface MethodChoice {
  /** One a chain of the lowered graph. */
  readonly methods: readonly Choice[];
  /** Work in units of WORK: of the choice, and of one method everywhere, whatever memory that takes. */
  readonly work: { readonly chosen: number; readonly exact: number; readonly lobpcg: number };
}

/** The cheapest method of each chain in all, within the memory limit, with what the model expects of it. */
export function weighMethods(graph: Graph, settings: AutoSettings): MethodChoice {
  const candidates = lower(graph).chains.map(candidateOf(graph, settings));
  const pass = WORK.pass * 3 * settings.images * macs(graph);
  const work = (methods: readonly Choice[]): number => workOf(methods, candidates, pass, settings.passes);
  const each = candidates.map(({ exact, lobpcg }): Choice => (exact <= lobpcg ? 'exact' : 'lobpcg'));
  const [exact, lobpcg] = [each.map((): Choice => 'exact'), each.map((): Choice => 'lobpcg')];
  // With one layer of lobpcg the network runs T times more. So exact everywhere may be cheaper in all.
  const methods = [each, exact, lobpcg]
    .map((option) => withinMemory(option, candidates, settings.memoryLimit))
    .reduce((best, one) => (work(one) < work(best) ? one : best));
  return { methods, work: { chosen: work(methods), exact: work(exact), lobpcg: work(lobpcg) } };
}

/** The method of each chain of the lowered graph: the cheapest in all, within the memory limit. */
export function chooseMethods(graph: Graph, settings: AutoSettings): readonly Choice[] {
  return weighMethods(graph, settings).methods;
}
