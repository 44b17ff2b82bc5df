// A network as text in the DOT language of Graphviz: a pure function of the graph.

import { channelGroups } from '../graph/channels.js';
import { macs, params } from '../graph/cost.js';
import { type Graph, INPUT, type NodeId } from '../graph/ir.js';
import { type PrintedNode, printGraph } from '../graph/print.js';
import { integer, percent } from '../statistics/format.js';
import { FRAME, faded, fillOf, INK, LINE, PAPER, ROLES, roleOf, type Tie, tieAt } from './dot-style.js';

/** A quoted string that Graphviz reads as the text: no escape, no entity of its own. Lines are centred. */
function quoted(...lines: readonly string[]): string {
  const escaped = lines.map((line) =>
    line.replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', '\\"'),
  );
  return `"${escaped.join('\\n')}"`;
}

/** Text within an HTML-like label, whose backslashes are escapes too. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\\', '\\\\');
}

type Attributes = Readonly<Record<string, string>>;

function attributes(all: Attributes): string {
  return `[${Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')}]`;
}

/** No node's id: ids have no such characters. */
export const LEGEND = '<legend>';

/** What the picture says of a node under the pointer: all that `splitgrow show` does. */
export function tipOf(node: PrintedNode): string {
  const group = node.group ?? INPUT;
  const costs =
    node.macs === 0 ? '' : `; ${integer(node.macs)} MACs (${percent(node.macsShare)} of the network)`;
  const parameters = node.params === 0 ? '' : `; ${integer(node.params)} parameters`;
  const splits = node.isSplittable ? 'can be split' : 'not split';
  return `${node.id}: ${node.form}; output ${node.shape.join(' x ')}${parameters}${costs}; channel group ${group}, ${splits}`;
}

/** Groups of several layers, with what marks them. */
function tiesOf(graph: Graph): ReadonlyMap<NodeId, Tie & { readonly producers: readonly NodeId[] }> {
  const tied = channelGroups(graph).filter(({ producers }) => producers.length > 1);
  return new Map(tied.map(({ id, producers }, at) => [id, { ...tieAt(at), producers }]));
}

function nodeLine(graph: Graph, node: PrintedNode, at: number, most: number, tie: Tie | undefined): string {
  const role = roleOf(graph.nodes[at] ?? { id: node.id, op: node.op, inputs: [] });
  const shape = node.shape.join(' x ');
  const share = node.macs === 0 ? [] : [`${integer(node.macs)} MACs, ${percent(node.macsShare)}`];
  const line = node.isSplittable ? (tie?.line ?? 'solid') : 'dashed';
  return `  ${quoted(node.id)} ${attributes({
    label: quoted(node.id, node.form, shape, ...share),
    fillcolor: quoted(fillOf(role, most === 0 ? 0 : node.macsShare / most)),
    color: quoted(tie?.colour ?? FRAME),
    style: quoted(`filled,rounded,${line}`),
    ...(tie && { penwidth: '3' }),
    ...(node.id === graph.output && { peripheries: '2' }),
    tooltip: quoted(tipOf(node)),
  })}`;
}

function swatch(fill: string, border: string, text: string): string {
  return `<TR><TD BGCOLOR="${fill}" COLOR="${border}" BORDER="2" WIDTH="26"> </TD><TD ALIGN="LEFT" BORDER="0">${escaped(text)}</TD></TR>`;
}

/** One table: the network's totals, the roles that occur, what strength and borders mean. */
function legend(graph: Graph): string {
  const used = new Set(graph.nodes.map(roleOf));
  const rows = [
    `<TR><TD COLSPAN="2" ALIGN="LEFT" BORDER="0"><B>${escaped(graph.name)}</B></TD></TR>`,
    `<TR><TD COLSPAN="2" ALIGN="LEFT" BORDER="0">${integer(macs(graph))} MACs, ${integer(params(graph))} parameters</TD></TR>`,
    ...ROLES.filter((role) => used.has(role)).map((role) => swatch(fillOf(role, 1), FRAME, role.name)),
    swatch(faded(LINE, 1), FRAME, 'stronger: more of the MACs'),
    ...[...tiesOf(graph).values()].map(({ colour, producers }) =>
      swatch(PAPER, colour, `tied: ${producers.slice(0, 4).join(', ')}${producers.length > 4 ? ' …' : ''}`),
    ),
    '<TR><TD COLSPAN="2" ALIGN="LEFT" BORDER="0">dashed border: its neurons are not split</TD></TR>',
  ];
  return `<<TABLE BORDER="1" COLOR="${FRAME}" BGCOLOR="${PAPER}" CELLSPACING="4" CELLPADDING="3" CELLBORDER="0">${rows.join('')}</TABLE>>`;
}

/**
 * The network in DOT: a box a node with its form, output shape and share of the MACs; fills by role, stronger for more
 * MACs; a border colour for every group of tied layers; a legend. Equal graphs give equal text.
 */
export function dotOf(graph: Graph): string {
  const printed = printGraph(graph);
  const ties = tiesOf(graph);
  const groups = new Map(printed.map(({ id, group }) => [id, group]));
  const most = Math.max(0, ...printed.map(({ macsShare }) => macsShare));
  // Graphviz knows how wide this font's letters are.
  const font = quoted('Arial');
  const input = {
    label: quoted(INPUT, graph.input.shape.join(' x ')),
    ...{ shape: 'oval', style: quoted('filled'), fillcolor: quoted(PAPER), tooltip: quoted('the images') },
  };
  return [
    'digraph network {',
    `  graph ${attributes({ bgcolor: quoted('transparent'), fontname: font, nodesep: '0.35', ranksep: '0.3', tooltip: quoted(graph.name) })}`,
    `  node ${attributes({ shape: 'box', fontname: font, fontsize: '11', fontcolor: quoted(INK), color: quoted(FRAME), penwidth: '1.6', margin: quoted('0.14,0.06') })}`,
    `  edge ${attributes({ color: quoted(LINE), penwidth: '1.4', arrowsize: '0.7' })}`,
    `  ${quoted(LEGEND)} ${attributes({ shape: 'plain', label: legend(graph), tooltip: quoted('legend') })}`,
    `  ${quoted(INPUT)} ${attributes(input)}`,
    `  ${quoted(LEGEND)} -> ${quoted(INPUT)} ${attributes({ style: 'invis' })}`,
    ...printed.map((node, at) => nodeLine(graph, node, at, most, ties.get(node.group ?? ''))),
    ...printed.flatMap(({ id, inputs, group }) =>
      inputs.map((from) => {
        const tie = groups.get(from) === group ? ties.get(group ?? '') : undefined;
        return `  ${quoted(from)} -> ${quoted(id)} ${attributes({ tooltip: quoted(`${from} to ${id}`), ...(tie && { color: quoted(tie.colour) }) })}`;
      }),
    ),
    '}',
    '',
  ].join('\n');
}
