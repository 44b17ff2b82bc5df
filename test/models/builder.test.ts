// Networks built in code: the same graphs as the presets', hand-counted ones, and what is refused, by the compiler too.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  buildPreset,
  channelGroups,
  type Graph,
  grow,
  type MapLayers,
  macs,
  network,
  params,
  parseExperiment,
} from '../../lib/index.js';
import { codeOf, messageOf } from '../reference.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

const small = (): MapLayers => network({ input: [3, 8, 8], classes: 5 });

test('block by block it makes the graphs of the presets, node for node', () => {
  const v1 = network({ input: [3, 224, 224], classes: 1000, name: 'mobilenet_v1' })
    .conv(32, { stride: 2 })
    .separable(64)
    .separable(128, { stride: 2 })
    .separable(128)
    .separable(256, { stride: 2 })
    .separable(256)
    .separable(512, { stride: 2 })
    .blocks('ds512n5')
    .separable(1024, { stride: 2 })
    .separable(1024)
    .head();
  expect(v1).toEqual(buildPreset('mobilenet_v1'));
  const v2 = network({ input: [3, 224, 224], classes: 1000, name: 'mobilenet_v2', activation: 'relu6' })
    .conv(32, { stride: 2 })
    .invertedResidual(16, { expansion: 1 })
    .blocks(' ir24s2n2 ir32s2n3 ir64s2n4 ir96n3 ir160s2n3 ir320')
    .conv(1280, { kernel: 1, name: 'head' })
    .head();
  expect(v2).toEqual(buildPreset('mobilenet_v2'));
  const resnet = network({ input: [3, 32, 32], classes: 10, name: 'resnet18' })
    .blocks('conv64')
    .basic(64)
    .basic(64)
    .basic(128, { stride: 2 })
    .basic(128)
    .basic(256, { stride: 2 })
    .basic(256)
    .basic(512, { stride: 2 })
    .basic(512)
    .head();
  expect(resnet).toEqual(buildPreset('resnet18', { stem: 'small', resolution: 32, classes: 10 }));
});

test('a residual written out is the block of the same layers', () => {
  const [byHand, block] = [
    small()
      .conv(8)
      .residual((from) => from.conv(16, { stride: 2 }).conv(16, { activation: null })),
    small().conv(8).basic(16, { stride: 2 }),
  ].map((layers) => layers.head()) as [Graph, Graph];
  const shape = ({ nodes }: Graph): unknown =>
    nodes.map(({ id, inputs, ...rest }) => ({
      ...rest,
      from: inputs.map((input) => nodes.findIndex((node) => node.id === input)),
    }));
  expect(shape(byHand)).toEqual(shape(block));
  // Where shapes stay, the input itself is added, and its channels are tied to the branch's.
  const same = small()
    .conv(8)
    .residual((from) => from.conv(8, { activation: null }))
    .head();
  expect(same.nodes.filter(({ op }) => op === 'conv2d')).toHaveLength(2);
  expect(channelGroups(same)[0]).toMatchObject({ producers: ['stem', 'b2'], neurons: 8 });
});

test('costs are those counted by hand', () => {
  const graph = small()
    .conv(4, { kernel: 5, stride: 2, norm: false }) // [4, 4, 4]
    .depthwise({ kernel: 3, padding: 0 }) // [4, 2, 2]
    .conv(6, { kernel: 1, groups: 2, activation: null }) // [6, 2, 2]
    .sum([(from) => from.conv(3, { kernel: 1 }), (from) => from.conv(3)], { activation: 'tanh' }) // [3, 2, 2]
    .maxPool({ kernel: 2 }) // [3, 1, 1]
    .flatten()
    .linear(7)
    .dropout(0.5)
    .classifier();
  expect(macs(graph)).toBe(
    5 * 5 * 3 * 4 * 16 + 9 * 4 * 4 + (4 / 2) * 6 * 4 + 6 * 3 * 4 + 9 * 6 * 3 * 4 + 3 * 7 + 7 * 5,
  );
  const norms = 2 * (4 + 6 + 3 + 3);
  const layers = 5 * 5 * 3 * 4 + 4 + 9 * 4 + (4 / 2) * 6 + 6 * 3 + 9 * 6 * 3 + 3 * 7 + 7 + 7 * 5 + 5;
  expect(params(graph)).toBe(layers + norms);
  expect(graph.nodes.filter(({ kind }) => kind === 'tanh')).toHaveLength(1);
});

test('layers stay as they are: two networks from one trunk do not disturb each other', () => {
  const trunk = small().conv(8);
  const [one, other] = [trunk.separable(16).head(), trunk.conv(4).maxPool({ kernel: 2 }).head()];
  expect(one).toEqual(small().conv(8).separable(16).head());
  expect(other).toEqual(small().conv(8).conv(4).maxPool({ kernel: 2 }).head());
});

test('what is no network is refused with the node or the word', () => {
  const unequal = (): Graph =>
    small()
      .conv(8)
      .sum([(from) => from.conv(4), (from) => from.conv(5)])
      .head();
  expect(codeOf(unequal)).toBe('E_GRAPH_WIDTH');
  expect(messageOf(unequal)).toContain('("add" "b1_add"): inputs must have equal widths');
  expect(messageOf(() => small().conv(2.5).head())).toContain('"stem"');
  expect(codeOf(() => small().conv(8, { kernel: 9, padding: 0 }).head())).toBe('E_GRAPH_SHAPE');
  expect(messageOf(() => small().conv(8, { name: 'x' }).conv(8, { name: 'x' }).head())).toContain('"x"');
  expect(messageOf(() => small().blocks('conv8 dss8').head())).toContain('cannot read "dss8"');
  expect(codeOf(() => small().blocks('conv8 dss8'))).toBe('E_ARGUMENT');
  const shrunk = (from: MapLayers): MapLayers => from.conv(8, { kernel: 2, padding: 0 });
  expect(messageOf(() => small().conv(8).residual(shrunk))).toBe(
    "network: residual: no stride of a 1x1 convolution leads from [8,8] to [7,7], the branch's size",
  );
  const foreign = (): MapLayers => small().conv(8);
  expect(messageOf(() => small().conv(8).residual(foreign))).toContain('expected a branch to return');
});

test('layers that cannot follow do not compile', () => {
  const layers = small().conv(8);
  const wrong = [
    // @ts-expect-error a vector has no pixels
    () => layers.flatten().conv(8),
    // @ts-expect-error maps are no vector
    () => layers.linear(8),
    // @ts-expect-error no such activation
    () => layers.conv(8, { activation: 'rely' }),
    // @ts-expect-error no such option
    () => layers.separable(8, { kernel: 5 }),
    // @ts-expect-error a sum of one
    () => layers.sum([(from) => from.conv(8)]),
    // @ts-expect-error no classes
    () => network({ input: [3, 8, 8] }),
    // @ts-expect-error a network is finished
    () => layers.head().conv(8),
  ];
  expect(wrong).toHaveLength(7);
});

test('a built graph is the network of an experiment, as an object and in a file', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const graph = network({ input: [1, 8, 8], classes: 4, activation: 'silu' })
    .conv(4)
    .residual((from) => from.conv(4, { activation: null }))
    .separable(6, { stride: 2 })
    .head();
  const experiment = { ...tinyExperiment(folder), network: { graph }, stop: { stages: 1 } };
  const { stages } = await grow(experiment);
  expect(stages[1]?.macs).toBeGreaterThan(stages[0]?.macs ?? 0);
  // Statistics of the pixels are the data's.
  const kept = await readJson<Graph>(folder, 'run', 'stage-0', 'network.json');
  expect(kept.nodes).toEqual(graph.nodes);
  expect(kept.input.mean).toHaveLength(1);
  const file = join(folder, 'experiment.json');
  await writeFile(file, JSON.stringify(experiment));
  expect(await grow(file)).toEqual(await grow(experiment));
  const broken = { graph: { ...graph, output: 'nowhere' } };
  expect(messageOf(() => parseExperiment({ ...experiment, network: broken }))).toMatch(/^network\.graph/);
  expect(codeOf(() => parseExperiment({ ...experiment, network: broken }))).toBe('E_GRAPH_OUTPUT');
  expect(messageOf(() => parseExperiment({ ...experiment, network: { graph: 3 } }))).toContain(
    'network.graph',
  );
});
