// A cost that the caller counts: a function of the whole graph, held to what the knapsack needs of a cost.
import { SplitgrowError } from '../errors.js';
import type { Shapes } from './check.js';
import type { CostOfGraph } from './cost.js';
import { show } from './fields.js';
import type { Graph } from './ir.js';

/**
 * A cost of your own: what a network costs, in any unit. It is given the graph and the shape of every node's output, and
 * returns a finite number of 0 or more: the same number for the same graph, and never less for a wider network. It is
 * called some thousands of times in a splitting stage.
 *
 * ```js
 * // Values that all nodes give together, for one image.
 * const activations = (graph, shapes) => graph.nodes.reduce((sum, { id }) => {
 *   const { channels, block, size } = shapes.get(id);
 *   return sum + channels * block * (size === null ? 1 : size[0] * size[1]);
 * }, 0);
 * ```
 */
export type CostFunction = (graph: Graph, shapes: Shapes) => number;

/** The graph as a function of the caller's sees it: a change throws there instead of reaching the run. */
function frozen(graph: Graph): Graph {
  for (const node of graph.nodes) Object.freeze(node);
  Object.freeze(graph.nodes);
  return Object.freeze(graph);
}

/** The caller's function as a cost. @throws E_CALLBACK, when it is asked, where it throws or gives no cost */
export function ownCost(name: string, of: CostFunction): CostOfGraph {
  const ofGraph = (graph: Graph, shapes: Shapes): number => {
    let value: unknown;
    try {
      value = of(frozen(graph), shapes);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SplitgrowError('E_CALLBACK', `cost "${name}": its function threw: ${reason}`, { cause });
    }
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    throw new SplitgrowError(
      'E_CALLBACK',
      `cost "${name}": expected its function to return a finite number of 0 or more, got ${show(value)}`,
    );
  };
  return { name, isInteger: false, ofGraph };
}
