// Seeded random graphs: every op with any fields, sums, values with several readers, and nodes that nobody reads.
import { parseGraph } from '../../../lib/graph/check.js';
import { FORMAT, type Graph, type GraphNode, INPUT, type NodeId } from '../../../lib/graph/ir.js';
import { drawOf } from '../../random-graphs.js';

/** What a node gave: a map of that size, or a vector. */
interface Made {
  readonly id: NodeId;
  readonly channels: number;
  readonly size: readonly [number, number] | null;
}

/** What a graph may hold. */
interface Limits {
  /** Images of the minibatch: batch norm of few values takes a larger eps. */
  readonly images: number;
  /** Without relu, relu6 and max_pool, whose derivatives jump. */
  readonly isSmooth: boolean;
}

const SMOOTH = ['silu', 'softplus', 'tanh', 'sigmoid', 'gelu', 'identity', 'swish'] as const;
const KINKED = ['relu', 'relu6'] as const;
const WIDTHS = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 21] as const;
/** Values a channel from which on batch norm is well-conditioned at the usual eps. */
const MANY = 24;
const MOST_FEATURES = 1500;

/** Nodes that lead to the output; parseGraph refuses all others. */
function live({ nodes, output }: Pick<Graph, 'nodes' | 'output'>): readonly GraphNode[] {
  const wanted = new Set([output]);
  for (const node of [...nodes].reverse())
    if (wanted.has(node.id)) for (const id of node.inputs) wanted.add(id);
  return nodes.filter(({ id }) => wanted.has(id));
}

/** A graph of 5 to 15 nodes and a classifier; equal seeds give equal graphs. Its nodes may lead nowhere. */
export function anyGraph(seed: number, { images, isSmooth }: Limits): Graph {
  const { below, chance, one } = drawOf(seed);
  const nodes: GraphNode[] = [];
  const made: Made[] = [];
  const push = (
    op: string,
    inputs: readonly NodeId[],
    fields: Readonly<Record<string, number | string | boolean>>,
    to: Omit<Made, 'id'>,
  ): Made => {
    const id = `n${nodes.length}`;
    nodes.push({ id, op, inputs, ...fields });
    const value = { ...to, id };
    made.push(value);
    return value;
  };
  const kinds: readonly string[] = isSmooth ? SMOOTH : [...SMOOTH, ...KINKED, ...KINKED, ...KINKED];

  /** A window that fits, and the size behind it. */
  function windowOf([height, width]: readonly [number, number], isPool: boolean) {
    for (;;) {
      const kernel = one([1, 1, 2, 3, 3, 3, 4, 5, 7]);
      const stride = one([1, 1, 1, 2, 2, 3]);
      const padding = chance(0.6) ? Math.floor(kernel / 2) : below(4);
      if (isPool && 2 * padding > kernel) continue;
      const [h, w] = [height, width].map((n) => Math.floor((n + 2 * padding - kernel) / stride) + 1) as [
        number,
        number,
      ];
      if (Math.min(height, width) + 2 * padding < kernel || h < 1 || w < 1 || h * w > 150) continue;
      return { fields: { kernel, stride, padding }, size: [h, w] as const };
    }
  }
  const dense = (at: Made, size: readonly [number, number]): Made => {
    const { fields, size: after } = windowOf(size, false);
    const groups = one([1, 1, 1, 2, 3, at.channels].filter((n) => at.channels % n === 0));
    const out = groups === 1 ? one(WIDTHS) : groups * (1 + below(3));
    return push(
      'conv2d',
      [at.id],
      { ...fields, out, groups, bias: chance(0.4) },
      { channels: out, size: after },
    );
  };
  const depthwise = (at: Made, size: readonly [number, number]): Made => {
    const { fields, size: after } = windowOf(size, false);
    return push('depthwise_conv2d', [at.id], { ...fields, bias: chance(0.4) }, { ...at, size: after });
  };
  const pool = (at: Made, size: readonly [number, number]): Made => {
    const { fields, size: after } = windowOf(size, true);
    return push(isSmooth || chance(0.5) ? 'avg_pool' : 'max_pool', [at.id], fields, { ...at, size: after });
  };
  const activation = (at: Made): Made => push('activation', [at.id], { kind: one(kinds) }, at);
  const norm = (at: Made): Made => {
    const values = images * (at.size === null ? 1 : at.size[0] * at.size[1]);
    if (values === 1) return activation(at);
    return push(
      'batch_norm',
      [at.id],
      { eps: values < MANY ? 0.5 : one([1e-5, 1e-3, 0.1]), momentum: one([0.1, 0.3]) },
      at,
    );
  };
  /** Of values of one shape, some of them twice; where there is no other, one is made. */
  const sum = (at: Made): Made => {
    const alike = made.filter(
      ({ channels, size }) => channels === at.channels && String(size) === String(at.size),
    );
    if (alike.length < 2 && at.size !== null && chance(0.8))
      alike.push(push('conv2d', [at.id], { out: at.channels, kernel: 3, padding: 1 }, at));
    const inputs = [at, ...Array.from({ length: 1 + below(3) }, () => one(alike))].map(({ id }) => id);
    return push('add', inputs, {}, at);
  };
  const dropout = (at: Made): Made => push('dropout', [at.id], { p: one([0, 0.1, 0.5]) }, at);
  const step = (at: Made): Made => {
    const { size } = at;
    if (size === null) return one([norm, activation, sum])(at);
    const ops = [
      dense,
      dense,
      dense,
      depthwise,
      depthwise,
      norm,
      norm,
      norm,
      activation,
      activation,
      activation,
      sum,
      sum,
      pool,
    ];
    // The masks of dropout differ between two calls, which would hide a kink.
    return one(isSmooth ? [...ops, dropout] : ops)(at, size);
  };

  const input: Made = { id: INPUT, channels: 1 + below(5), size: [1 + below(9), 1 + below(9)] };
  made.push(input);
  let at = input;
  for (let left = 5 + below(11); left > 0; left -= 1) at = step(chance(0.75) ? at : one(made));

  const isLarge = at.size !== null && at.channels * at.size[0] * at.size[1] > MOST_FEATURES;
  const isPooled = at.size !== null && (isLarge || chance(0.4));
  if (isPooled) at = push('global_avg_pool', [at.id], {}, { ...at, size: null });
  else
    at = push(
      'flatten',
      [at.id],
      {},
      { channels: at.channels * (at.size === null ? 1 : at.size[0] * at.size[1]), size: null },
    );
  if (chance(0.4)) {
    const out = one(WIDTHS);
    at = push('linear', [at.id], { out, bias: chance(0.5) }, { channels: out, size: null });
    if (chance(0.5)) at = norm(at);
    if (chance(0.7)) at = activation(at);
  }
  const last = push('linear', [at.id], { out: 2 + below(4) }, { channels: 0, size: null });
  const shape = [input.channels, ...(input.size ?? [1, 1])] as const;
  const graph = {
    format: FORMAT,
    name: `any ${seed}`,
    input: { shape: [shape[0], shape[1] ?? 1, shape[2] ?? 1] },
    nodes,
    output: last.id,
  } as const;
  parseGraph({ ...graph, nodes: live(graph) });
  return graph;
}
