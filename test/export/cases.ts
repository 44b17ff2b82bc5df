// Networks that between them have every op, every activation and every preset, with random weights and statistics, on disk.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { forward } from '../../lib/api/forward.js';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import { parseGraph } from '../../lib/graph/check.js';
import type { Graph } from '../../lib/graph/ir.js';
import { ACTIVATION_KINDS } from '../../lib/graph/ops.js';
import { buildPreset, type ZOO } from '../../lib/models/zoo.js';
import type { TensorData, TensorMap } from '../../lib/native/face.js';
import { floats, labels } from '../api/batch-files.js';
import { mildWeights, randomGraph } from '../random-graphs.js';
import { randomOf } from '../reference.js';

/** Small forms of the presets; every preset of the zoo is there (checked by the test). */
const PRESETS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  mobilenet_v1: { width: 0.1, resolution: 64, classes: 7 },
  mobilenet_v2: { width: 0.1, resolution: 64, classes: 7 },
  mobilenet_cifar10: { blocks: 3, width: 6, activation: 'swish' },
  mobilenet_cifar100: { width: 0.2 },
  resnet18: { width: 0.1, resolution: 64, classes: 7 },
  resnet50: { width: 0.05, resolution: 64, classes: 7, stem: 'small' },
};

type Node = Record<string, unknown>;
const graphOf = (name: string, shape: readonly number[], nodes: readonly Node[], output: string): Graph =>
  parseGraph({
    format: 'splitgrow-network/1',
    name,
    input: {
      shape,
      mean: shape.slice(0, 1).flatMap(() => Array(shape[0]).fill(0.5)),
      std: Array(shape[0]).fill(0.25),
    },
    nodes,
    output,
  });

/** conv -> activation of every kind, each with a norm before it or none. */
function ofKind(kind: string, i: number): Graph {
  const norm = i % 2 === 0 ? [{ id: 'n', op: 'batch_norm', inputs: ['c'], eps: 1e-3 }] : [];
  return graphOf(
    `activation ${kind}`,
    [2, 6, 6],
    [
      { id: 'c', op: 'conv2d', inputs: ['input'], out: 5, kernel: 3, bias: true },
      ...norm,
      { id: 'a', op: 'activation', inputs: [norm.length > 0 ? 'n' : 'c'], kind },
      { id: 'f', op: 'flatten', inputs: ['a'] },
      { id: 'l', op: 'linear', inputs: ['f'], out: 3 },
    ],
    'l',
  );
}

/** Cases that are easy to get wrong. */
const CORNERS: readonly Graph[] = [
  graphOf(
    'padded pools, groups, three-way add, one input twice',
    [4, 9, 9],
    [
      { id: 'max', op: 'max_pool', inputs: ['input'], kernel: 3, stride: 2, padding: 1 },
      { id: 'avg', op: 'avg_pool', inputs: ['input'], kernel: 3, stride: 2, padding: 1 },
      { id: 'g', op: 'conv2d', inputs: ['max'], out: 6, kernel: 3, groups: 2 },
      { id: 'h', op: 'conv2d', inputs: ['avg'], out: 6, kernel: 1 },
      { id: 's', op: 'add', inputs: ['g', 'h', 'g'] },
      { id: 'd', op: 'depthwise_conv2d', inputs: ['s'], kernel: 5, stride: 2, bias: true },
      { id: 'p', op: 'global_avg_pool', inputs: ['d'] },
      { id: 'o', op: 'linear', inputs: ['p'], out: 4 },
    ],
    'o',
  ),
  graphOf(
    'norms that cannot be folded, norms of vectors, norm at the output',
    [3, 5, 5],
    [
      { id: 'c', op: 'conv2d', inputs: ['input'], out: 4, kernel: 3 },
      { id: 'shared', op: 'batch_norm', inputs: ['c'] },
      { id: 's', op: 'add', inputs: ['c', 'shared'] },
      { id: 'after_add', op: 'batch_norm', inputs: ['s'] },
      { id: 'f', op: 'flatten', inputs: ['after_add'] },
      { id: 'wide', op: 'batch_norm', inputs: ['f'] },
      { id: 'l', op: 'linear', inputs: ['wide'], out: 6, bias: false },
      { id: 'last', op: 'batch_norm', inputs: ['l'] },
    ],
    'last',
  ),
  graphOf(
    'names that clash with those of the model',
    [1, 6, 6],
    [
      { id: 'logits', op: 'conv2d', inputs: ['input'], out: 3, kernel: 3, bias: true },
      { id: 'logits.weight', op: 'activation', inputs: ['logits'], kind: 'relu6' },
      { id: 'constant.6', op: 'global_avg_pool', inputs: ['logits.weight'] },
      { id: 'drop', op: 'dropout', inputs: ['constant.6'], p: 0.5 },
      { id: 'last', op: 'dropout', inputs: ['drop'], p: 0.5 },
    ],
    'last',
  ),
  graphOf('nothing but a flatten', [2, 2, 2], [{ id: 'f', op: 'flatten', inputs: ['input'] }], 'f'),
];

export const PRESET_NAMES = Object.keys(PRESETS);

export function allGraphs(): readonly Graph[] {
  return [
    ...ACTIVATION_KINDS.map(ofKind),
    ...CORNERS,
    ...Array.from({ length: 12 }, (_, seed) => randomGraph(seed)),
    ...Object.entries(PRESETS).map(([name, options]) => buildPreset(name as keyof typeof ZOO, options)),
  ];
}

export function narrow(graph: Graph, seed: number): TensorMap {
  return new Map(
    [...mildWeights(graph, seed)].map(([name, { shape, data }]): [string, TensorData] => [
      name,
      floats(shape, (i) => data[i] ?? 0),
    ]),
  );
}

export interface Case {
  readonly graph: Graph;
  readonly directory: string;
  /** Images [3, C, H, W] and our logits [3, classes], in one safetensors file. */
  readonly images: TensorData;
  readonly logits: readonly (readonly number[])[];
}

/** A network directory with random weights, images for it, and the logits that `forward` gives. */
export async function writeCase(graph: Graph, directory: string, seed: number): Promise<Case> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'network.json'), JSON.stringify(graph));
  await writeSafetensors(join(directory, 'weights.safetensors'), narrow(graph, seed));
  const random = randomOf(seed);
  const images = floats([3, ...graph.input.shape], () => 4 * random() - 2);
  const batch = join(directory, 'batch.safetensors');
  await writeSafetensors(
    batch,
    new Map([
      ['images', images],
      ['labels', labels([0, 0, 0])],
    ]),
  );
  const { logits } = await forward({ network: directory, batch, threads: 1 });
  return { graph, directory, images, logits };
}
