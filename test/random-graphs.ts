// Seeded random networks with residuals, depthwise and grouped convolutions, pools, flatten and linear layers; their weights and plans.
import { channelGroups } from '../lib/graph/channels.js';
import { parseGraph } from '../lib/graph/check.js';
import type { Plan } from '../lib/graph/grow.js';
import type { Graph } from '../lib/graph/ir.js';
import { lower } from '../lib/graph/lower.js';
import { randomOf, type Tensor, tensor, type Weights } from './reference.js';

type Node = Record<string, unknown>;
interface Place {
  readonly id: string;
  readonly c: number;
  readonly s: number;
}

export interface Draw {
  readonly below: (n: number) => number;
  readonly chance: (p: number) => boolean;
  readonly one: <T>(list: readonly T[]) => T;
}

export function drawOf(seed: number): Draw {
  const random = randomOf(seed);
  const below = (n: number): number => Math.floor(random() * n);
  return {
    below,
    chance: (p) => random() < p,
    one: (list) => list[below(list.length)] as (typeof list)[number],
  };
}

/** A checked graph of about a dozen nodes; equal seeds give equal graphs. */
export function randomGraph(seed: number): Graph {
  const { below, chance, one } = drawOf(seed);
  const nodes: Node[] = [];
  const push = (op: string, inputs: readonly string[], fields: Node = {}): string => {
    const id = `n${nodes.length}`;
    nodes.push({ id, op, inputs, ...fields });
    return id;
  };
  const dress = (id: string): string => {
    let last = id;
    if (chance(0.6)) last = push('batch_norm', [last]);
    if (chance(0.7))
      last = push('activation', [last], { kind: one(['relu', 'silu', 'tanh', 'relu6', 'swish']) });
    return last;
  };
  const conv = ({ id, c, s }: Place): Place => {
    const groups = c % 2 === 0 && chance(0.15) ? 2 : 1;
    const out = groups * (1 + below(4));
    const [kernel, stride] = [one([1, 3]), s > 4 && chance(0.3) ? 2 : 1];
    const fields = { out, kernel, stride, groups, bias: chance(0.4), ...(chance(0.1) && { split: false }) };
    return { id: dress(push('conv2d', [id], fields)), c: out, s: Math.floor((s - 1) / stride) + 1 };
  };
  const depthwise = ({ id, c, s }: Place): Place => ({
    id: dress(push('depthwise_conv2d', [id], { kernel: 3, bias: chance(0.5) })),
    c,
    s,
  });
  // Both branches from one place; the second ends in a convolution of the first's width.
  const residual = (at: Place): Place => {
    const body = push('conv2d', [at.id], { out: at.c, kernel: one([1, 3]), bias: chance(0.5) });
    const ends = [at.id, dress(body)];
    if (chance(0.3)) ends.push(push('conv2d', [at.id], { out: at.c, kernel: 1 }));
    return { ...at, id: dress(push('add', ends)) };
  };
  const pooled = ({ id, c, s }: Place): Place =>
    s < 4
      ? { id, c, s }
      : { id: push(one(['max_pool', 'avg_pool']), [id], { kernel: 2 }), c, s: Math.floor(s / 2) };
  const channels = 1 + below(3);
  let at: Place = { id: 'input', c: channels, s: 5 + below(3) };
  const side = at.s;
  at = conv(at);
  for (let i = 1 + below(5); i > 0; i -= 1) at = one([conv, conv, depthwise, residual, residual, pooled])(at);
  let last = push(one(['global_avg_pool', 'flatten', 'flatten']), [at.id]);
  if (chance(0.3)) last = push('batch_norm', [last]);
  if (chance(0.6)) last = dress(push('linear', [last], { out: 2 + below(4), bias: chance(0.7) }));
  if (chance(0.3)) last = push('dropout', [last], { p: 0.5 });
  const output = push('linear', [last], { out: 2 + below(3) });
  const input = { shape: [channels, side, side] };
  return parseGraph({ format: 'splitgrow-network/1', name: `random ${seed}`, input, nodes, output });
}

/** Random values of every parameter; variances positive. */
export function randomWeights(graph: Graph, seed: number): Weights {
  const random = randomOf(seed + 1);
  const weights = new Map<string, Tensor>();
  for (const { parameters } of lower(graph).instructions) {
    for (const { name, shape } of parameters) {
      weights.set(
        name,
        tensor(shape, () => (name.endsWith('running_var') ? 0.5 + random() : random() * 2 - 1)),
      );
    }
  }
  return weights;
}

/** Random weights under which deep networks neither explode nor die: normal-sized layers, norms that nearly normalise. */
export function mildWeights(graph: Graph, seed: number): Weights {
  const random = randomOf(seed + 5);
  const around = (middle: number, by: number): number => middle + by * (2 * random() - 1);
  return new Map(
    [...randomWeights(graph, seed)].map(([name, { shape }]): [string, Tensor] => {
      const fan = shape.slice(1).reduce((product, length) => product * length, 1);
      if (shape.length > 1) return [name, tensor(shape, () => around(0, Math.sqrt(6 / fan)))];
      const isScale = /\.(weight|running_var)$/.test(name);
      return [name, tensor(shape, () => (isScale ? around(1, 0.3) : around(0, 0.2)))];
    }),
  );
}

/** Some neurons of some splittable groups, named in any one of the tied layers or in several, some twice. */
export function randomPlan(graph: Graph, seed: number): Plan {
  const { below, chance, one } = drawOf(seed + 2);
  const splits: Record<string, number[]> = {};
  for (const group of channelGroups(graph)) {
    if (!group.isSplittable || chance(0.25)) continue;
    const layers = chance(0.5) ? [one(group.producers)] : group.producers;
    for (const id of layers) splits[id] = Array.from({ length: 1 + below(4) }, () => below(group.neurons));
  }
  return { splits };
}

/** Random directions of every layer, as its weight without the bias. */
export function randomDirections(graph: Graph, seed: number): Weights {
  const weights = randomWeights(graph, seed + 3);
  const named = graph.nodes.flatMap(({ id }) => {
    const weight = weights.get(`${id}.weight`);
    return weight === undefined ? [] : [[id, weight] as const];
  });
  return new Map(named);
}
