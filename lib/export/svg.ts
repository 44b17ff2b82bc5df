// A network as an SVG picture: its DOT text, laid out by Graphviz as WebAssembly, which is loaded on first use.
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { RenderResult } from '@viz-js/viz';
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

/** What the thread runs that lays out: it may take minutes, and is ended in the middle by a signal. */
const LAYOUT = `
const { parentPort, workerData } = require('node:worker_threads');
require(workerData.module).instance().then((viz) => {
  parentPort.postMessage(viz.render(workerData.dot, { format: 'svg', engine: 'dot' }));
});`;

/** The DOT text laid out by Graphviz on a thread of its own. @throws E_ABORTED, E_INTERNAL */
async function laidOut(dot: string, signal: AbortSignal | undefined): Promise<RenderResult> {
  const aborted = (): SplitgrowError => new SplitgrowError('E_ABORTED', 'svg: the layout was aborted');
  if (signal?.aborted === true) throw aborted();
  const module = createRequire(import.meta.url).resolve('@viz-js/viz');
  const worker = new Worker(LAYOUT, { eval: true, workerData: { module, dot } });
  let onAbort = (): void => {};
  try {
    return await new Promise<RenderResult>((resolve, reject) => {
      onAbort = () => reject(aborted());
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () =>
        reject(new SplitgrowError('E_INTERNAL', 'svg: the layout ended without a picture')),
      );
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

/**
 * The picture of `dotOf` as SVG text, readable on light and dark pages; a tip under the pointer for every node. Equal
 * graphs give equal text.
 *
 * @param signal Ends the layout, which may take long.
 * @throws E_ABORTED, E_ARGUMENT for a network of more than 2,000 nodes or 4,000 inputs, whose DOT text Graphviz itself lays out better
 */
export async function svgOf(graph: Graph, signal?: AbortSignal): Promise<string> {
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
  const result = await laidOut(dotOf(graph), signal);
  if (result.status !== 'success') {
    const said = result.errors.map(({ message }) => message).join('; ');
    throw new SplitgrowError('E_INTERNAL', `svg: Graphviz refused the picture (${said})`);
  }
  return withTips(result.output, graph);
}
