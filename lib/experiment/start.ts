// What a run starts from: the dataset, and the seed network that fits it.
import type { Dataset } from '../data/dataset.js';
import { shapeOf } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { buildPreset } from '../models/zoo.js';
import { createNetwork, loadNetwork, type Network } from '../network.js';
import { seedOf } from '../train/seeds.js';
import type { Spec } from './spec.js';

/** The preset for this data: channels, resolution and classes follow from it, and so do mean and std of its pixels. */
export function presetGraph(spec: Spec['network'], data: Dataset): Graph {
  if ('directory' in spec) throw new SplitgrowError('E_INTERNAL', 'a network directory is no preset');
  const [channels, resolution] = shapeOf(data.train);
  const { preset, ...options } = spec;
  const graph = buildPreset(preset, { channels, resolution, classes: data.classes, ...options });
  const { mean, std } = data;
  return { ...graph, input: { ...graph.input, ...(mean.length > 0 ? { mean, std } : {}) } };
}

/** @throws E_DATA where the network cannot take the images, E_LABELS where it lacks classes */
export function refuseMisfit(graph: Graph, data: Dataset): void {
  const shape = shapeOf(data.train);
  const wanted = graph.input.shape;
  if (shape.join() !== wanted.join()) {
    throw new SplitgrowError(
      'E_DATA',
      `dataset ${data.name}: network "${graph.name}" takes images of [${wanted.join(', ')}], got [${shape.join(', ')}]; ` +
        'give the network that resolution and those channels, or use other data (`splitgrow eval` can --resize)',
    );
  }
  const { classes } = lower(graph);
  if (classes < data.classes) {
    throw new SplitgrowError(
      'E_LABELS',
      `dataset ${data.name}: it has ${data.classes} classes, network "${graph.name}" has ${classes}; give the network as many`,
    );
  }
}

/** The seed network, its weights from the experiment's seed or from its directory. */
export async function startNetwork(spec: Spec, data: Dataset): Promise<Network> {
  const { network: start, seed, device } = spec;
  const network =
    'directory' in start
      ? await loadNetwork(start.directory, { device })
      : createNetwork(presetGraph(start, data), { seed: seedOf('weights', seed), device });
  try {
    refuseMisfit(network.graph, data);
    return network;
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}
