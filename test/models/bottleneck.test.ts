// Linear bottlenecks of MobileNetV2 with both shortcuts: no index without a surrogate, and with act'' = 1 that of S by brute force.
import { expect, test } from 'vitest';
import { channelGroups } from '../../lib/graph/channels.js';
import { parseGraph } from '../../lib/graph/check.js';
import type { Graph } from '../../lib/graph/ir.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { choose } from '../../lib/split/choose/strategy.js';
import { groupIndices } from '../../lib/split/indices/indices.js';
import {
  core,
  datasetOf,
  indexing,
  networkOf,
  numbersOf,
  quotientOf,
  randomBatch,
  tensorOf,
} from '../native/golden.js';
import { mildWeights } from '../random-graphs.js';
import { assertClose, forward, type Tensor, tensor, type Weights } from '../reference.js';

const SHORTCUTS = ['identity', 'conv'] as const;
type Shortcut = (typeof SHORTCUTS)[number];
const CLASSES = 3;
const IMAGES = 2;
/** Narrow, of images of 32 pixels; silu, so that finite differences of the loss are smooth. */
const graphOf = (shortcut: Shortcut): Graph =>
  buildPreset('mobilenet_v2', {
    ...{ width: 0.1, round: 1, resolution: 32, channels: 2, classes: CLASSES, activation: 'silu', shortcut },
  });

/** The classifier's are small, so that the softmax does not saturate. */
const weightsOf = (graph: Graph): Weights =>
  new Map(
    [...mildWeights(graph, 7)].map(([name, t]) =>
      name === 'classifier.weight' ? [name, tensor(t.shape, (i) => 0.02 * (t.data[i] ?? 0))] : [name, t],
    ),
  );

/** What follows the node, as a network whose input is the node's output. */
function after(graph: Graph, id: string): Graph {
  const at = graph.nodes.findIndex((node) => node.id === id);
  const nodes = graph.nodes.slice(at + 1);
  const value = forward(
    graph,
    weightsOf(graph),
    tensor(graph.input.shape, () => 0),
  ).get(id);
  return parseGraph({
    ...{ format: graph.format, name: id, output: graph.output, input: { shape: value?.shape } },
    nodes: nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((from) => (from === id ? 'input' : from)),
    })),
  });
}
function lossOf(logits: Tensor | undefined, label: number): number {
  const values = Array.from(logits?.data ?? []);
  return Math.log(values.reduce((sum, x) => sum + Math.exp(x), 0)) - (values[label] ?? 0);
}

/** dL/d(output of the add), by central differences: the derivative by either of its inputs. */
function gradientAt(rest: Graph, weights: Weights, value: Tensor, label: number): Float64Array {
  const step = 1e-4;
  const loss = (i: number, by: number): number => {
    const moved = tensor(value.shape, (j) => (value.data[j] ?? 0) + (i === j ? by : 0));
    return lossOf(forward(rest, weights, moved).get(rest.output), label);
  };
  return Float64Array.from(value.data, (_, i) => (loss(i, step) - loss(i, -step)) / (2 * step));
}

/** S of every neuron of a 1x1 convolution whose output reaches `add` as it is: [neurons, d, d]. */
function bruteForce(
  graph: Graph,
  weights: Weights,
  layer: string,
  { images, labels }: { readonly images: readonly Tensor[]; readonly labels: readonly number[] },
): Float64Array {
  const id = `${layer.split('_')[0]}_add`;
  const rest = after(graph, id);
  const from = graph.nodes.find((node) => node.id === layer)?.inputs[0] ?? '';
  const [neurons = 0, d = 0] = weights.get(`${layer}.weight`)?.shape ?? [];
  const s = new Float64Array(neurons * d * d);
  images.forEach((image, n) => {
    const values = forward(graph, weights, image);
    const [x, out] = [values.get(from), values.get(id)] as [Tensor, Tensor];
    const g = gradientAt(rest, weights, out, labels[n] ?? 0);
    const area = out.data.length / neurons;
    const own = (name: string, k: number): number => weights.get(`${layer}_bn.${name}`)?.data[k] ?? 1;
    for (let k = 0; k < neurons; k += 1) {
      const hasNorm = weights.has(`${layer}_bn.weight`);
      const squared = hasNorm ? own('weight', k) ** 2 / (own('running_var', k) + 1e-5) : 1;
      for (let p = 0; p < area; p += 1) {
        const h = ((g[k * area + p] ?? 0) * squared) / images.length;
        for (let i = 0; i < d; i += 1)
          for (let j = 0; j < d; j += 1) {
            const at = (k * d + i) * d + j;
            s[at] = (s[at] ?? 0) + h * (x.data[i * area + p] ?? 0) * (x.data[j * area + p] ?? 0);
          }
      }
    }
  });
  return s;
}

/** The smallest eigenvalue of a symmetric [d, d] matrix, by Jacobi's rotations. */
function lowest(matrix: Float64Array, d: number): number {
  const a = Float64Array.from(matrix);
  const get = (i: number, j: number): number => a[i * d + j] ?? 0;
  for (let sweep = 0; sweep < 30; sweep += 1)
    for (let p = 0; p < d; p += 1)
      for (let q = p + 1; q < d; q += 1) {
        if (get(p, q) === 0) continue;
        const theta = (get(q, q) - get(p, p)) / (2 * get(p, q));
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const turn = (at: (k: number, which: number) => number): void => {
          for (let k = 0; k < d; k += 1) {
            const [x, y] = [a[at(k, p)] ?? 0, a[at(k, q)] ?? 0];
            a[at(k, p)] = c * x - t * c * y;
            a[at(k, q)] = t * c * x + c * y;
          }
        };
        turn((k, which) => k * d + which);
        turn((k, which) => which * d + k);
      }
  return Math.min(...Array.from({ length: d }, (_, i) => get(i, i)));
}

async function indicesOf(graph: Graph, identityCurvature: number) {
  const network = networkOf(graph, weightsOf(graph), { dtype: 'float64' });
  const batch = randomBatch(graph.input.shape, CLASSES, IMAGES, 3);
  const options = indexing(graph, 'exact', { identityCurvature });
  const result = await core().indices(network, datasetOf(batch, CLASSES), options, null, null);
  return { ...result, batch };
}

const isLinear = (id: string): boolean => /_(project|shortcut)$/.test(id);

for (const shortcut of SHORTCUTS) {
  test(`without a surrogate every linear bottleneck has index 0, with an ${shortcut} shortcut`, async () => {
    const graph = graphOf(shortcut);
    const { chains } = await indicesOf(graph, 0);
    expect(chains.filter(({ id }) => isLinear(id)).length).toBe(shortcut === 'conv' ? 27 : 17);
    for (const { id, indices } of chains)
      expect(
        indices.every((index) => index === 0),
        id,
      ).toBe(isLinear(id));
    const groups = groupIndices(graph, new Map(chains.map(({ id, indices }) => [id, indices])));
    const { picks } = await choose(graph, groups, { growthRatio: 1 });
    expect(picks.length).toBeGreaterThan(10);
    expect(picks.filter(({ group }) => isLinear(group))).toEqual([]);
  });

  test(`with act'' = 1 they are the least eigenvalues of S by brute force, with an ${shortcut} shortcut`, async () => {
    const graph = graphOf(shortcut);
    const { chains, directions, batch } = await indicesOf(graph, 1);
    const [pixels, labels] = [numbersOf(batch, 'images'), Array.from(numbersOf(batch, 'labels'))];
    const shape = tensorOf(batch, 'images').shape.slice(1);
    const each = pixels.length / IMAGES;
    const images = labels.map((_, n) => tensor(shape, (i) => pixels[n * each + i] ?? 0));
    const vectors = new Map(core().readDirections(directions));
    // A residual block of 4 x 4 positions, one of 2 x 2, and where they are, their learned shortcuts.
    const layers = ['b5', 'b12'].flatMap((block) => [
      `${block}_project`,
      ...(shortcut === 'conv' ? [`${block}_shortcut`] : []),
    ]);
    for (const layer of layers) {
      const chain = chains.find(({ id }) => id === layer);
      const d = chain?.dimension ?? 0;
      const s = bruteForce(graph, weightsOf(graph), layer, { images, labels });
      // Central differences of step 1e-4: a hundredth of the 1e-5 that step 1e-3 was seen to leave out.
      const atol = 1e-6 * Math.max(...Array.from(s, Math.abs));
      const each = (n: number): Float64Array => s.slice(n * d * d, (n + 1) * d * d);
      const want = Array.from({ length: chain?.neurons ?? 0 }, (_, n) => lowest(each(n), d));
      assertClose(chain?.indices ?? [], want, { rtol: 0, atol, note: layer });
      const v = numbersOf(vectors, layer);
      for (let n = 0; n < want.length; n += 1) {
        const { residual } = quotientOf(each(n), v.slice(n * d, n * d + d));
        expect(residual, `${layer} ${n}`).toBeLessThan(10 * atol);
      }
    }
    const groups = groupIndices(graph, new Map(chains.map(({ id, indices }) => [id, indices])));
    const tied = channelGroups(graph).find(({ producers }) => producers.includes('b3_project'));
    expect(tied?.producers).toEqual(
      shortcut === 'identity' ? ['b2_project', 'b3_project'] : ['b3_project', 'b3_shortcut'],
    );
    const { picks } = await choose(graph, groups, { growthRatio: 1 });
    expect(picks.some(({ group }) => isLinear(group))).toBe(true);
  });
}
