// What a run starts from: the dataset, and the seed network that fits it.
import type { Dataset } from '../data/dataset.js';
import { shortSideOf } from '../data/images/settings.js';
import { isInMemory, shapeOf } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import type { RunControl } from '../events.js';
import { withClasses, writableNames } from '../graph/classes.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { buildPreset } from '../models/zoo.js';
import { createNetwork, loadNetwork, type Network, networkOf } from '../network.js';
import { note } from '../train/control.js';
import { seedOf } from '../train/seeds.js';
import type { Spec } from './spec.js';
import type { PresetSpec } from './spec-network.js';

type Fresh = Exclude<Spec['network'], { readonly directory: string }>;

/** A preset for this data: channels, resolution and classes follow from it. */
function presetGraph({ preset, ...options }: PresetSpec, data: Dataset): Graph {
  const [channels, resolution] = shapeOf(data.train);
  return buildPreset(preset, { channels, resolution, classes: data.classes, ...options });
}

/** The graph of a network that has no weights yet. Mean and std are those of the data's pixels, unless a graph has its own. */
function freshGraph(network: Fresh, data: Dataset): Graph {
  const graph = 'graph' in network ? network.graph : presetGraph(network, data);
  const { mean, std } = data;
  const statistics = mean.length > 0 && graph.input.mean === undefined ? { mean, std } : {};
  return { ...graph, input: { ...graph.input, ...statistics } };
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

/**
 * The graph with what is known of its images by the data it is trained on: names of the classes, where it has none and the
 * data name as many as its output is wide; of image files the shorter side that the run evaluates with.
 */
function described(graph: Graph, data: Dataset, control: RunControl): Graph {
  const names = data.classNames === undefined ? undefined : writableNames(data.classNames);
  const own = graph.classes;
  if (own !== undefined && names?.some((name, at) => name !== own[at]) === true) {
    note(
      control,
      0,
      'load',
      `network "${graph.name}" names its classes otherwise than ${data.name}: its names are kept; take \`classes\` out of its network.json to have those of the data`,
    );
  }
  const isFitting = names?.length === lower(graph).classes;
  const { shape, mean, std, shortSide: given } = graph.input;
  const shortSide = isInMemory(data.train) ? given : shortSideOf(data.train.settings);
  // In the order in which it is read back: a resumed run writes the same bytes.
  const input = {
    ...{ shape, ...(mean && { mean }), ...(std && { std }) },
    ...(shortSide !== undefined && { shortSide }),
  };
  return withClasses({ ...graph, input }, own ?? (isFitting ? names : undefined));
}

/** The seed network, its weights from the experiment's seed or from its directory. */
export async function startNetwork(spec: Spec, data: Dataset, control: RunControl = {}): Promise<Network> {
  const { network: start, seed, device } = spec;
  const network =
    'directory' in start
      ? await loadNetwork(start.directory, { device, control })
      : createNetwork(freshGraph(start, data), { seed: seedOf('weights', seed), device });
  try {
    refuseMisfit(network.graph, data);
    return networkOf(described(network.graph, data, control), network.handle);
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}
