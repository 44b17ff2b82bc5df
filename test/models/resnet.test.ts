// ResNet presets: shapes and ties of the published networks, and growth that keeps their function.
import { expect, test } from 'vitest';
import { channelGroups } from '../../lib/graph/channels.js';
import { shapes } from '../../lib/graph/check.js';
import { macs, marginalCost, params } from '../../lib/graph/cost.js';
import { grow } from '../../lib/graph/grow.js';
import type { Graph } from '../../lib/graph/ir.js';
import { widths } from '../../lib/graph/print.js';
import { buildPreset, type PresetOptions } from '../../lib/models/zoo.js';
import { groupIndices } from '../../lib/split/indices/indices.js';
import { core, datasetOf, indexing, networkOf, randomBatch } from '../native/golden.js';
import { mildWeights, randomDirections, randomPlan, randomWeights } from '../random-graphs.js';
import { assertClose, forward, operate, randomOf, tensor, type Weights } from '../reference.js';

const NAMES = ['resnet18', 'resnet50'] as const;
/** A sixteenth of the width on images of 32 pixels, or of 16 where the stem does not shrink them. */
const narrow = (name: string, options: PresetOptions = {}): Graph =>
  buildPreset(name, {
    width: 1 / 16,
    resolution: 32,
    classes: 5,
    channels: 2,
    activation: 'silu',
    ...options,
  });

test('MACs and parameters are those of torchvision', () => {
  // Counted by hooks on the layers of torchvision 0.26's resnet18() and resnet50(), one image of 224 x 224.
  const counted = { resnet18: [1_814_073_344, 11_689_512], resnet50: [4_089_184_256, 25_557_032] };
  for (const [name, want] of Object.entries(counted)) {
    const graph = buildPreset(name);
    expect([macs(graph), params(graph)], name).toEqual(want);
  }
});

test('the stride is on the 3x3 convolution, and the map shrinks to 7 x 7', () => {
  const graph = buildPreset('resnet50');
  const stride = (id: string) => graph.nodes.find((node) => node.id === id)?.stride;
  expect([stride('b4_conv1'), stride('b4_conv2'), stride('b4_shortcut')]).toEqual([1, 2, 2]);
  const values = shapes(graph);
  expect(['stem', 'stem_pool', 'b3_act', 'b16_act'].map((id) => values.get(id)?.size?.[0])).toEqual([
    112, 56, 56, 7,
  ]);
});

test('a small stem keeps the resolution: no pooling, a 3x3 convolution of stride 1', () => {
  const graph = buildPreset('resnet18', { stem: 'small', resolution: 32, classes: 10 });
  expect(graph.nodes.some(({ op }) => op === 'max_pool')).toBe(false);
  expect(graph.nodes[0]).toMatchObject({ kernel: 3, stride: 1 });
  expect(shapes(graph).get('b8_act')?.size).toEqual([4, 4]);
  // By hand: 32 x 32 positions of 3 9 64; four convolutions of 64 9 64 there; then at each halving one of the
  // convolutions has half the inputs and a 1x1 joins it; the classifier.
  const at = (side: number, width: number): number =>
    side ** 2 * width * ((9 * width) / 2 + 3 * 9 * width + width / 2);
  expect(macs(graph)).toBe(1024 * 64 * (27 + 4 * 9 * 64) + at(16, 128) + at(8, 256) + at(4, 512) + 512 * 10);
});

test('a multiplied bottleneck gives four times its inner width', () => {
  const found = widths(buildPreset('resnet50', { width: 0.3 }));
  expect([found.stem, found.b1_conv1, found.b1_conv3, found.b1_shortcut]).toEqual([19, 19, 76, 76]);
  expect(widths(buildPreset('resnet50', { width: 0.3, round: 8 })).b1_conv3).toBe(4 * 24);
});

test('blocks of one stage are tied by their adds; the stem of ResNet-18 is tied to its first stage', () => {
  const ties = (name: string): readonly string[] =>
    channelGroups(buildPreset(name)).flatMap(({ producers }) =>
      producers.length > 1 ? [producers.join(' ')] : [],
    );
  expect(ties('resnet18')).toEqual([
    'stem b1_conv2 b2_conv2',
    'b3_conv2 b3_shortcut b4_conv2',
    'b5_conv2 b5_shortcut b6_conv2',
    'b7_conv2 b7_shortcut b8_conv2',
  ]);
  expect(ties('resnet50')[1]).toBe('b4_conv3 b4_shortcut b5_conv3 b6_conv3 b7_conv3');
  for (const name of NAMES) {
    const frozen = channelGroups(buildPreset(name)).filter(({ isSplittable }) => !isSplittable);
    expect(frozen.flatMap(({ producers }) => producers)).toEqual(['classifier']);
  }
});

const imageOf = (graph: Graph) => {
  const random = randomOf(4);
  return tensor(graph.input.shape, () => random() * 2 - 1);
};
const logits = (graph: Graph, weights: Weights) =>
  forward(graph, weights, imageOf(graph)).get(graph.output)?.data ?? [];

test('growing tied groups and all others with epsilon 0 leaves every logit unchanged', () => {
  for (const name of NAMES) {
    for (const options of [{ resolution: 24 }, { resolution: 10, stem: 'small' }]) {
      const graph = narrow(name, options);
      for (const seed of [1, 2]) {
        const weights = randomWeights(graph, seed);
        const plan = randomPlan(graph, seed);
        const { graph: grown, surgery } = grow(graph, plan);
        expect(macs(grown)).toBeGreaterThan(macs(graph));
        const after = operate(weights, surgery, randomDirections(graph, seed), 0);
        // float64; sums are taken in another order, of values that grow from block to block
        const want = logits(graph, weights);
        const atol = 1e-9 * Math.max(...Array.from(want, Math.abs));
        assertClose(logits(grown, after), want, { rtol: 0, atol, note: `${name} ${seed}` });
      }
    }
  }
});

test('the cost of a tied neuron is counted once, by hand', () => {
  const graph = buildPreset('resnet18');
  const [tied] = channelGroups(graph);
  // One more channel of the first stage, at 56 x 56 but the stem's own at 112 x 112: read by the first convolutions of
  // two blocks, made by the second ones, and read by the next stage's 3x3 and 1x1 convolutions at 28 x 28.
  const want = 112 ** 2 * 49 * 3 + 56 ** 2 * 4 * 9 * 64 + 28 ** 2 * (9 * 128 + 128);
  expect(marginalCost(graph, tied?.id ?? '', 'macs')).toBe(want);
});

test('without a surrogate, tied groups behind an add have index 0; the stem carries that of its group', async () => {
  const graph = narrow('resnet18');
  const network = networkOf(graph, mildWeights(graph, 1), { dtype: 'float64' });
  const data = datasetOf(randomBatch(graph.input.shape, 5, 4, 3), 5);
  const found = async (identityCurvature: number) => {
    const options = indexing(graph, 'exact', { identityCurvature });
    const { chains } = await core().indices(network, data, options, null, null);
    const layers = new Map(chains.map(({ id, indices }) => [id, indices]));
    return { layers, groups: groupIndices(graph, layers) };
  };
  const [plain, surrogate] = [await found(0), await found(1)];
  // The activation of a residual block comes after the add: the chains before it have none.
  for (const [id, indices] of plain.layers) {
    const isLinear = /_(conv2|shortcut)$/.test(id);
    expect(
      Array.from(indices).every((index) => index === 0),
      id,
    ).toBe(isLinear);
  }
  expect(plain.groups.get('stem')).toEqual(plain.layers.get('stem'));
  expect(Array.from(plain.groups.get('b3_conv2') ?? [1]).every((index) => index === 0)).toBe(true);
  // With one the tied layers add up.
  const parts = ['b3_conv2', 'b3_shortcut', 'b4_conv2'].map((id) => surrogate.layers.get(id) ?? []);
  const sums = Array.from(parts[0] ?? [], (_, n) => parts.reduce((sum, part) => sum + (part[n] ?? 0), 0));
  assertClose(surrogate.groups.get('b3_conv2') ?? [], sums, { rtol: 1e-12, atol: 0 });
  expect(sums.every((index) => index < 0)).toBe(true);
});
