// The ImageNet tables of docs/results.md against the plans of the two tables: every row, and what is said of reach.
import { expect, test } from 'vitest';
import { planReproduction } from '../../lib/api/reproduce.js';
import { type ChannelGroup, channelGroups } from '../../lib/graph/channels.js';
import { costs, macs } from '../../lib/graph/cost.js';
import { grow } from '../../lib/graph/grow.js';
import type { Graph } from '../../lib/graph/ir.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { choose } from '../../lib/split/choose/strategy.js';
import { decimal, integer } from '../../lib/statistics/format.js';
import { randomOf } from '../reference.js';
import { pageOf, tableOf } from './pages.js';

const PAGE = 'docs/results.md';
/** Rows of the plan that stand beside a number of the paper, reported ones left out: the paper's millions of MACs and ours. */
async function planned(id: string): Promise<readonly (readonly [string, string])[]> {
  const { rows } = await planReproduction({ id });
  return rows.flatMap(({ kind, macs: ours, paper }) =>
    paper === null || kind === 'reported' ? [] : [[String(paper.macs / 1e6), integer(ours)] as const],
  );
}
const ROWS = ['seed, 0.3x', ...[1, 2, 3, 4].map((k) => `Splitting-${k}`), '0.5x', '0.75x', '1.0x'];

test('every row of the two tables is on the page, with the MACs of the plan', async () => {
  const [v1, v2] = [await planned('table1'), await planned('table2')];
  // MobileNetV2 has three stages, MobileNetV1 four.
  const gap = ROWS.indexOf('Splitting-4');
  const beside = [...v2.slice(0, gap), ['–', '–'], ...v2.slice(gap)];
  expect(tableOf(PAGE, 'imagenet')).toEqual(
    ROWS.map((row, i) => [row, ...(v1[i] ?? []), ...(beside[i] ?? [])]),
  );
});

test('every row but V1 0.75x is within 1 % of the paper, stages of the variants too', async () => {
  for (const id of ['table1', 'table2']) {
    for (const { paper, kind, macs: ours } of (await planReproduction({ id })).rows) {
      if (paper === null || kind === 'reported') continue;
      const isOff = Math.abs(ours - paper.macs) > 0.01 * paper.macs;
      expect(isOff, `${id} ${ours}`).toBe(paper.macs === 317_000_000);
    }
  }
  const { rows } = await planReproduction({ id: 'table2' });
  const variants = rows.filter(({ label }) => label.startsWith('Splitting, '));
  const ends = variants.filter(({ stage, label }) => stage === (label.includes('no surrogate') ? 5 : 3));
  expect(ends.length).toBe(3);
  for (const { macs: ours } of ends) expect(Math.abs(ours / 298e6 - 1)).toBeLessThan(0.01);
});

const isLinear = (id: string): boolean => /_(project|shortcut)$/.test(id);
const grows = (graph: Graph, hasSurrogate: boolean): readonly ChannelGroup[] =>
  channelGroups(graph).filter(
    ({ isSplittable, producers }) => isSplittable && (hasSurrogate || !producers.every(isLinear)),
  );
/** Times the MACs with every neuron of every group that grows split once. */
function reach(graph: Graph, hasSurrogate: boolean): number {
  const splits = grows(graph, hasSurrogate).map(({ id, neurons }) => [
    id,
    Array.from({ length: neurons }, (_, neuron) => neuron),
  ]);
  return macs(grow(graph, { splits: Object.fromEntries(splits) }).graph) / macs(graph);
}

test('what a stage can reach follows from doubling all that may be split', () => {
  const v1 = buildPreset('mobilenet_v1', { width: 0.3 });
  const v2 = buildPreset('mobilenet_v2', { width: 0.3, shortcut: 'conv' });
  const [a, b] = [reach(v1, true), reach(v2, true)].map((most) => decimal(most, 2));
  const flat = decimal(reach(v2, false), 2);
  const text = pageOf(PAGE).replaceAll(/\s+/g, ' ');
  expect(text).toContain(`by ${a} at most (V1; V2 ${b})`);
  expect(text).toContain(`which never splits the linear layers of V2, by ${flat}.`);
});

test('with negative indices everywhere the choice comes within 0.05 % of every limit', async () => {
  const ratios = {
    mobilenet_v1: [0.3848, 0.7073, 1.0857, 0.9212],
    mobilenet_v2: [1.4288, 1.1895, 0.4327],
  } as const;
  for (const [preset, list] of Object.entries(ratios)) {
    const shortcut = preset === 'mobilenet_v2' ? { shortcut: 'conv' } : {};
    let graph = buildPreset(preset, { width: 0.3, ...shortcut });
    const random = randomOf(3);
    for (const growthRatio of list) {
      const groups = grows(graph, true);
      const indices = new Map(
        groups.map(({ id, neurons }) => [id, Float64Array.from({ length: neurons }, () => -random())]),
      );
      const { plan } = await choose(graph, indices, { growthRatio });
      const [before, after] = [macs(graph), macs(grow(graph, plan).graph)];
      expect(after).toBeLessThanOrEqual((1 + growthRatio) * before);
      expect(after).toBeGreaterThan(0.9995 * (1 + growthRatio) * before);
      graph = grow(graph, plan).graph;
    }
  }
});

test('V1 0.75x without its first convolution has the 317 million MACs of the paper', () => {
  const v1 = buildPreset('mobilenet_v1', { width: 0.75 });
  const [stem = 0] = costs(v1).map((node) => node.macs);
  expect(Math.round((macs(v1) - stem) / 1e6)).toBe(317);
  expect(pageOf(PAGE)).toContain(`${decimal(macs(v1) / 1e6, 1)} million MACs`);
});
