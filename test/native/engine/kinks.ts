// How near the values of a network are to where a derivative jumps.
import { shapes } from '../../../lib/graph/check.js';
import type { Graph, GraphNode } from '../../../lib/graph/ir.js';
import { core, DEVICE, longs, networkOf, numbers, tensorOf } from '../golden.js';
import { norm, type Start } from './agreement.js';

/** Where the derivative of an activation jumps. */
const KINKS: Readonly<Record<string, readonly number[]>> = { relu: [0], relu6: [0, 6] };

/** The values that a node reads, image after image, in float64. */
async function valuesInto(
  node: GraphNode,
  { graph, weights, batch }: Start,
  mode: 'train' | 'eval',
): Promise<Float64Array> {
  const [from = 'input'] = node.inputs;
  const before = graph.nodes.slice(
    0,
    graph.nodes.findIndex(({ id }) => id === node.id),
  );
  const flat = { id: 'seen.flat', op: 'flatten', inputs: [from] };
  // Not checked: nodes may lead nowhere.
  const part: Graph = { ...graph, nodes: [...before, flat], output: flat.id };
  const names = new Set(before.map(({ id }) => id));
  const kept = new Map([...weights].filter(([name]) => names.has(name.slice(0, name.lastIndexOf('.')))));
  const network = networkOf(part, kept, { dtype: 'float64' });
  const images = tensorOf(batch, 'images');
  const labels = longs(Array.from({ length: images.shape[0] ?? 0 }, () => 0));
  const data = core().createDataset(images, labels, [], [], 1, DEVICE);
  const values = numbers(await core().forward(network, data, { mode, batch: 2 ** 20 }));
  for (const handle of [network, data]) handle.dispose();
  return values;
}

/** Smallest gap between the largest and the next value of a window. Equal ones are equal in both precisions, and count as none. */
function leastGap(values: Float64Array, [height, width]: readonly [number, number], node: GraphNode): number {
  const kernel = Number(node.kernel);
  const [stride, padding] = [Number(node.stride ?? kernel), Number(node.padding ?? 0)];
  let least = Number.POSITIVE_INFINITY;
  for (let plane = 0; plane < values.length; plane += height * width)
    for (let top = -padding; top + kernel <= height + padding; top += stride)
      for (let left = -padding; left + kernel <= width + padding; left += stride) {
        let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
        for (let y = Math.max(0, top); y < Math.min(height, top + kernel); y += 1)
          for (let x = Math.max(0, left); x < Math.min(width, left + kernel); x += 1) {
            const value = values[plane + y * width + x] ?? 0;
            if (value > first) [first, second] = [value, first];
            else if (value > second) second = value;
          }
        if (first > second) least = Math.min(least, first - second);
      }
  return least;
}

function leastDistance(values: Float64Array, node: GraphNode, graph: Graph): number {
  if (node.op !== 'max_pool') {
    const kinks = KINKS[String(node.kind)] ?? [];
    // A value at a kink, as of padding or of another relu, is there in both precisions.
    const all = kinks.flatMap((kink) =>
      Array.from(values, (x) => Math.abs(x - kink)).filter((far) => far > 0),
    );
    return all.reduce((least, far) => Math.min(least, far), Number.POSITIVE_INFINITY);
  }
  const size = shapes(graph).get(node.inputs[0] ?? '')?.size ?? [1, 1];
  return leastGap(values, size, node);
}

/** The smallest distance of a value from a kink, as a share of the root mean square of its map; infinite without kinks. */
export async function kinkDistance(start: Start, mode: 'train' | 'eval'): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const node of start.graph.nodes) {
    if (node.op !== 'max_pool' && KINKS[String(node.kind)] === undefined) continue;
    const values = await valuesInto(node, start, mode);
    const size = norm(values) / Math.sqrt(values.length);
    least = Math.min(least, leastDistance(values, node, start.graph) / (size || 1));
  }
  return least;
}
