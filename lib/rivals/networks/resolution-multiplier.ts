// Resolution multiplier (Howard et al. 2017): the same network on smaller images; widths stay.
import { shortSideAt } from '../../data/images/settings.js';
import { SplitgrowError } from '../../errors.js';
import { parseGraph } from '../../graph/check.js';
import { macs } from '../../graph/cost.js';
import type { Graph, GraphInput } from '../../graph/ir.js';

/** The graph on images of `size` x `size`, the shorter side of files in proportion. */
export function atResolution(graph: Graph, size: number): Graph {
  const [channels, height, width] = graph.input.shape;
  const shortSide = shortSideAt(graph.input.shortSide, { from: Math.max(height, width), to: size });
  const input: GraphInput = { ...graph.input, shape: [channels, size, size] };
  return { ...graph, input: shortSide === undefined ? input : { ...input, shortSide } };
}

/** False where a window of the network no longer fits on its map. */
function isNetwork(graph: Graph): boolean {
  try {
    parseGraph(graph);
    return true;
  } catch (error) {
    if (error instanceof SplitgrowError && error.code === 'E_GRAPH_SHAPE') return false;
    throw error;
  }
}

/**
 * The graph at its largest resolution, in whole pixels, of at most `target` MACs; never above its own.
 *
 * @throws E_ARGUMENT where the images are not square, or the smallest that the network takes has more.
 */
export function resolutionAtMost(
  graph: Graph,
  target: number,
): { readonly graph: Graph; readonly resolution: number } {
  const [, height, width] = graph.input.shape;
  if (height !== width) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `resolution multiplier: expected square images, "${graph.name}" takes ${height} x ${width}; use another rival`,
    );
  }
  for (let size = width; size >= 1; size -= 1) {
    const smaller = atResolution(graph, size);
    if (macs(smaller) > target) continue;
    if (isNetwork(smaller)) return { graph: smaller, resolution: size };
    break;
  }
  throw new SplitgrowError(
    'E_ARGUMENT',
    `resolution multiplier: no resolution of "${graph.name}" has at most ${target} MACs; ` +
      'give it a narrower base or a larger target',
  );
}
