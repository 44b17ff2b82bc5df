// Pictures of networks: DOT is read back by Graphviz itself, fills are measured for contrast, files are written whole.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instance } from '@viz-js/viz';
import { expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api/export.js';
import { dotOf, LEGEND } from '../../lib/export/dot.js';
import { FRAME, fillOf, INK, LINE, PAPER, ROLES, tieAt } from '../../lib/export/dot-style.js';
import { svgOf } from '../../lib/export/svg.js';
import { parseGraph } from '../../lib/graph/check.js';
import { costs, macs } from '../../lib/graph/cost.js';
import type { Graph } from '../../lib/graph/ir.js';
import { buildPreset, ZOO } from '../../lib/models/zoo.js';
import { splitgrow, temporaryFolder } from '../cli/command-line.js';
import { EXAMPLE } from '../graph/example.js';
import { randomGraph } from '../random-graphs.js';

interface Read {
  readonly objects: readonly {
    readonly name: string;
    readonly _gvid: number;
    readonly [key: string]: unknown;
  }[];
  readonly edges?: readonly { readonly tail: number; readonly head: number; readonly style?: string }[];
}

/** What Graphviz reads in a DOT text. */
async function read(dot: string): Promise<Read> {
  return (await instance()).renderJSON(dot) as Read;
}

const HOSTILE = parseGraph({ ...EXAMPLE, name: 'a "quoted" \\N name\\ <b>&amp; é 語 -- }' });
const GRAPHS: readonly Graph[] = [
  ...Object.keys(ZOO).map((name) => buildPreset(name, { width: name === 'mobilenet_cifar10' ? 4 : 0.25 })),
  ...Array.from({ length: 12 }, (_, seed) => randomGraph(seed)),
  HOSTILE,
];

test('Graphviz reads every node and every edge of the graph in the text', async () => {
  for (const graph of GRAPHS) {
    const { objects, edges = [] } = await read(dotOf(graph));
    const names = new Map(objects.map(({ name, _gvid }) => [_gvid, name]));
    expect([...names.values()].sort()).toEqual([LEGEND, 'input', ...graph.nodes.map(({ id }) => id)].sort());
    const drawn = edges
      .filter(({ style }) => style !== 'invis')
      .map(({ tail, head }) => `${names.get(tail)} ${names.get(head)}`);
    const wanted = graph.nodes.flatMap(({ id, inputs }) => inputs.map((from) => `${from} ${id}`));
    expect(drawn.sort(), graph.name).toEqual(wanted.sort());
  }
});

test('a node says its form, its output and its share of the MACs; fills are stronger for more', async () => {
  const graph = buildPreset('mobilenet_cifar10');
  const { objects } = await read(dotOf(graph));
  const at = (id: string) => objects.find(({ name }) => name === id);
  const [stem] = costs(graph);
  const share = ((100 * (stem?.macs ?? 0)) / macs(graph)).toFixed(1);
  expect(at('stem')?.label).toBe(`stem\\nconv2d 3x3\\n8 x 32 x 32\\n221,184 MACs, ${share} %`);
  expect(at('stem_bn')?.label).toBe('stem_bn\\nbatch_norm\\n8 x 32 x 32');
  const grey = (id: string): number => Number.parseInt(String(at(id)?.fillcolor).slice(1, 3), 16);
  expect([grey('stem'), grey('b1_pw'), grey('b2_pw')]).toEqual(
    [grey('stem'), grey('b1_pw'), grey('b2_pw')].sort((a, b) => a - b),
  );
  expect(at('classifier')).toMatchObject({ peripheries: '2', style: 'filled,rounded,dashed' });
});

test('tied layers have a border of their own, the same for all of the group', async () => {
  const { objects } = await read(dotOf(buildPreset('resnet18', { width: 0.25 })));
  const colour = (id: string) => objects.find(({ name }) => name === id)?.color;
  expect(new Set(['stem', 'b1_conv2', 'b2_conv2', 'b1_add'].map(colour))).toEqual(new Set([tieAt(0).colour]));
  expect(colour('b3_conv2')).toBe(tieAt(1).colour);
  expect(colour('b3_shortcut')).toBe(tieAt(1).colour);
  expect(colour('b1_conv1')).toBe(FRAME);
});

test('equal graphs give equal bytes, in DOT and in SVG', async () => {
  const [graph, again] = [HOSTILE, structuredClone(HOSTILE)];
  expect(dotOf(again)).toBe(dotOf(graph));
  expect(await svgOf(again)).toBe(await svgOf(graph));
});

test('the SVG has a tip for every node, and a name from a file cannot become markup', async () => {
  const svg = await svgOf(HOSTILE);
  expect(svg).toContain(
    '<title>stem: conv2d 3x3; output 8 x 32 x 32; 216 parameters; 221,184 MACs (75.0 % of the network); channel group stem, can be split</title>',
  );
  const titles = [...svg.matchAll(/<g id="node\d+" class="node">\s*<title>([^<]*)/g)].map(([, tip]) => tip);
  expect(titles.slice(2).map((tip) => tip?.split(':')[0])).toEqual(HOSTILE.nodes.map(({ id }) => id));
  expect(svg).not.toContain('<b>');
  const name = 'a &quot;quoted&quot; \\N name\\ &lt;b&gt;&amp;amp; é 語 -- }'.replaceAll('-', '&#45;');
  expect(svg).toContain(`>${name}</text>`);
  expect(svg).toContain(`xlink:title="${name}"`);
});

/** Contrast of WCAG 2: 4.5 for text, 3 for lines. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
      const value = Number.parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16) / 255;
      return sum + weight * (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    }, 0);
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

test('text is read on every fill, lines are seen on white and on black pages', () => {
  for (const role of ROLES)
    for (const share of [0, 0.01, 0.25, 1])
      expect(contrast(INK, fillOf(role, share)), `${role.name} ${share}`).toBeGreaterThan(4.5);
  expect(contrast(INK, PAPER)).toBeGreaterThan(4.5);
  for (const line of [LINE, FRAME, ...Array.from({ length: 6 }, (_, at) => tieAt(at).colour)])
    for (const page of ['#ffffff', '#0d1117']) expect(contrast(line, page), line).toBeGreaterThan(3);
});

test('a network too large to be laid out is refused, its DOT text is not', async () => {
  const chain = Array.from({ length: 2001 }, (_, i) => ({
    ...{ id: `n${i}`, op: 'activation', kind: 'relu', inputs: [i === 0 ? 'input' : `n${i - 1}`] },
  }));
  const tail = [
    { id: 'pool', op: 'global_avg_pool', inputs: ['n2000'] },
    { id: 'classifier', op: 'linear', inputs: ['pool'], out: 2 },
  ];
  const graph = parseGraph({ ...EXAMPLE, nodes: [...chain, ...tail] });
  await expect(svgOf(graph)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  expect(dotOf(graph)).toContain('"n2000" -> "pool"');
});

test('export writes both files whole, and needs no weights for them', async () => {
  const folder = temporaryFolder();
  const network = join(folder, 'net');
  mkdirSync(network);
  writeFileSync(join(network, 'network.json'), JSON.stringify(EXAMPLE));
  const [dot, svg] = [join(folder, 'a', 'x.dot'), join(folder, 'a', 'x.svg')];
  const nodes = EXAMPLE.nodes.length;
  expect(await exportNetwork({ network, dot, svg })).toEqual({
    ...{ file: dot, network: 'example', formats: { dot: { file: dot, nodes }, svg: { file: svg, nodes } } },
  });
  const graph = parseGraph(EXAMPLE);
  expect(readFileSync(dot, 'utf8')).toBe(dotOf(graph));
  expect(readFileSync(svg, 'utf8')).toBe(await svgOf(graph));
  const ended = await splitgrow(['export', '--network', network, '--svg', join(dot, 'x.svg')]);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^splitgrow: E_WRITE: /);
});

test('a network whose nodes all read each other is refused for SVG, however few they are', async () => {
  const convs = Array.from({ length: 70 }, (_, i) => ({
    ...{ id: `c${i}`, op: 'conv2d', inputs: ['input'], out: 2, kernel: 1 },
  }));
  const adds = Array.from({ length: 70 }, (_, i) => ({
    ...{ id: `a${i}`, op: 'add', inputs: [...convs.map(({ id }) => id), ...(i === 0 ? [] : [`a${i - 1}`])] },
  }));
  const end = [
    { id: 'pool', op: 'global_avg_pool', inputs: ['a69'] },
    { id: 'classifier', op: 'linear', inputs: ['pool'], out: 2 },
  ];
  const graph = parseGraph({ ...EXAMPLE, nodes: [...convs, ...adds, ...end] });
  await expect(svgOf(graph)).rejects.toMatchObject({
    code: 'E_ARGUMENT',
    message: expect.stringContaining('at most 4000 inputs in all, got 5041'),
  });
});

test('a layout that would take minutes ends at once when it is aborted', async () => {
  // Each sum reads the one before and one far away: long arrows are what takes time.
  const sums = Array.from({ length: 300 }, (_, i) => ({
    ...{
      id: `s${i}`,
      op: 'add',
      inputs: [i === 0 ? 'c' : `s${i - 1}`, i < 2 ? 'c' : `s${(7 * i * i) % (i - 1)}`],
    },
  }));
  const nodes = [
    { id: 'c', op: 'conv2d', inputs: ['input'], out: 2, kernel: 1 },
    ...sums,
    { id: 'pool', op: 'global_avg_pool', inputs: ['s299'] },
    { id: 'classifier', op: 'linear', inputs: ['pool'], out: 2 },
  ];
  const graph = parseGraph({ ...EXAMPLE, nodes });
  const start = performance.now();
  await expect(svgOf(graph, AbortSignal.timeout(500))).rejects.toMatchObject({ code: 'E_ABORTED' });
  // On a machine that is busy; it takes far longer to lay out.
  expect(performance.now() - start).toBeLessThan(10_000);
  await expect(svgOf(graph, AbortSignal.abort())).rejects.toMatchObject({ code: 'E_ABORTED' });
});
