// A network as an SVG picture: its DOT text, laid out by Graphviz as WebAssembly, which is loaded on first use.
import { SplitgrowError } from '../errors.js';
import { type Graph, INPUT } from '../graph/ir.js';
import { printGraph } from '../graph/print.js';
import { dotOf, LEGEND, tipOf } from './dot.js';

/** Laying out takes more than linear time, and more memory than WebAssembly has. */
const MOST_NODES = 2_000;
/** Arrows cost more than nodes: a network of few nodes that all read each other would keep the process busy for minutes. */
const MOST_ARROWS = 4_000;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replace(/[&<>]/g, (one) => ENTITIES[one] ?? one);

/** Graphviz titles a node by its id, which browsers show under the pointer: the tip says more. */
function withTips(svg: string, graph: Graph): string {
  const tips = new Map(printGraph(graph).map((node) => [escaped(node.id), tipOf(node)]));
  const others = new Map([
    [INPUT, `input: ${graph.input.shape.join(' x ')}`],
    [escaped(LEGEND), 'legend'],
    ['network', graph.name],
  ]);
  return svg.replace(/<title>([^<]*)<\/title>/g, (whole, name: string) => {
    // Graphviz writes "-" as an entity.
    const id = name.replaceAll('&#45;', '-');
    const tip = tips.get(id) ?? others.get(id);
    return tip === undefined ? whole : `<title>${escaped(tip)}</title>`;
  });
}

/**
 * The picture of `dotOf` as SVG text, readable on light and dark pages; a tip under the pointer for every node. Equal
 * graphs give equal text.
 *
 * @throws E_ARGUMENT for a network of more than 2,000 nodes or 4,000 inputs, whose DOT text Graphviz itself lays out better
 */
export async function svgOf(graph: Graph): Promise<string> {
  const count = graph.nodes.length;
  if (count > MOST_NODES) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `svg: expected at most ${MOST_NODES} nodes, got ${count}; write DOT instead and lay it out with Graphviz`,
    );
  }
  const arrows = graph.nodes.reduce((sum, { inputs }) => sum + inputs.length, 0);
  if (arrows > MOST_ARROWS) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `svg: expected nodes with at most ${MOST_ARROWS} inputs in all, got ${arrows}; write DOT instead and lay it out with Graphviz`,
    );
  }
  const { instance } = await import('@viz-js/viz');
  const viz = await instance();
  const result = viz.render(dotOf(graph), { format: 'svg', engine: 'dot' });
  if (result.status !== 'success') {
    const said = result.errors.map(({ message }) => message).join('; ');
    throw new SplitgrowError('E_INTERNAL', `svg: Graphviz refused the picture (${said})`);
  }
  return withTips(result.output, graph);
}
