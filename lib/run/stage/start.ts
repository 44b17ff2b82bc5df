// What a run starts from: the dataset, and the seed network that fits it.
import type { Dataset } from '../../data/dataset.js';
import { numbersFor, shortSideOf } from '../../data/images/settings.js';
import { matchClasses } from '../../data/match-classes.js';
import { isInMemory, shapeOf } from '../../data/part.js';
import { refuseOtherNetwork } from '../../distributed/compared.js';
import { SplitgrowError } from '../../errors.js';
import { withClasses, writableNames } from '../../graph/classes.js';
import type { Graph } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { buildPreset } from '../../models/zoo.js';
import { note } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { createNetwork, loadNetwork, type Network, networkOf } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import type { PresetSpec } from '../spec/network.js';
import type { Spec } from '../spec/spec.js';
import { misfitRemedy } from './image-mismatch.js';

type Fresh = Exclude<Spec['network'], { readonly directory: string }>;

/** A preset for this data: channels, resolution and classes follow from it. */
function presetGraph({ preset, ...options }: PresetSpec, data: Dataset): Graph {
  const [channels, resolution] = shapeOf(data.train);
  if (data.doubt !== undefined && !('classes' in options && options.classes !== undefined)) {
    throw new SplitgrowError(
      'E_LABELS',
      `dataset ${data.name}: ${data.doubt}; number the classes from 0 without gaps, or say with network.classes how many there are`,
    );
  }
  return buildPreset(preset, { channels, resolution, classes: data.classes, ...options });
}

/** Mean and std of the data for so many channels. @throws E_DATA where they are those of grey images, and the network sees colours */
function statisticsFor(channels: number, data: Dataset): Pick<Dataset, 'mean' | 'std'> {
  const [mean, std] = [numbersFor(channels, data.mean), numbersFor(channels, data.std)];
  if (mean !== undefined && std !== undefined) return { mean, std };
  if (isInMemory(data.train) || ![1, 3].includes(channels)) return { mean: data.mean, std: data.std };
  throw new SplitgrowError(
    'E_DATA',
    `dataset ${data.name}: expected data.mean and data.std of ${channels} numbers each, as the network has ${channels} channels, got ${data.mean.length} and ${data.std.length}; give as many, or network.channels 1`,
  );
}

/** The graph of a network that has no weights yet. Mean and std are those of the data's pixels, unless a graph has its own. */
function freshGraph(network: Fresh, data: Dataset): Graph {
  const graph = 'graph' in network ? network.graph : presetGraph(network, data);
  const statistics =
    data.mean.length > 0 && graph.input.mean === undefined ? statisticsFor(graph.input.shape[0], data) : {};
  return { ...graph, input: { ...graph.input, ...statistics } };
}

/** @throws E_DATA where the network cannot take the images, E_LABELS where it lacks classes */
export function refuseMisfit(graph: Graph, data: Dataset): void {
  const shape = shapeOf(data.train);
  const wanted = graph.input.shape;
  // Files hold colours, and a network of one channel sees their luma.
  const takesFiles = !isInMemory(data.train) && (wanted[0] === 1 || wanted[0] === 3);
  const seen = takesFiles ? [wanted[0], ...shape.slice(1)] : shape;
  if (seen.join() !== wanted.join()) {
    throw new SplitgrowError(
      'E_DATA',
      `dataset ${data.name}: network "${graph.name}" takes images of [${wanted.join(', ')}], got [${shape.join(', ')}]; ${misfitRemedy(data, graph)}`,
    );
  }
  const { classes } = lower(graph);
  if (classes < data.classes) {
    throw new SplitgrowError(
      'E_LABELS',
      `dataset ${data.name}: it has ${data.classes} classes, network "${graph.name}" has ${classes}; give the network as many${data.name === 'cifar100' ? ', or take other labels (data.labels; eval: --labels)' : ''}`,
    );
  }
}

/**
 * The graph with what is known of its images by the data it is trained on: names of the classes, where it has none and the
 * data name as many as its output is wide; of image files the shorter side that the run evaluates with.
 */
function described(graph: Graph, data: Dataset): Graph {
  const names = data.classNames === undefined ? undefined : writableNames(data.classNames);
  const isFitting = names?.length === lower(graph).classes;
  const { shape, mean, std, shortSide: given } = graph.input;
  const shortSide = isInMemory(data.train) ? given : shortSideOf(data.train.settings);
  // In the order in which it is read back: a resumed run writes the same bytes.
  const input = {
    ...{ shape, ...(mean && { mean }), ...(std && { std }) },
    ...(shortSide !== undefined && { shortSide }),
  };
  return withClasses({ ...graph, input }, graph.classes ?? (isFitting ? names : undefined));
}

/** Tells that a network's own mean and deviation are kept, or that it has none, where the experiment's differ. */
function noteStatistics({ name, input }: Graph, data: Dataset, control: RunControl): void {
  if (isInMemory(data.train)) return;
  const [own, asked] = [input, data].map(({ mean, std }) =>
    mean === undefined || std === undefined ? null : `mean ${mean.join(', ')} and std ${std.join(', ')}`,
  );
  if (own === asked) return;
  const kept =
    own === null
      ? `images are pixels / 255, as network "${name}" has no mean and std`
      : `images are normalised by the ${own} of network "${name}", which its weights were trained with`;
  note(
    control,
    0,
    'load',
    `${kept}, and not by data.mean and data.std (${asked}); change input.mean and input.std in its network.json to have others`,
  );
}

/** The seed network, its weights from the experiment's seed or from its directory. */
export async function startNetwork(spec: Spec, data: Dataset, control: RunControl = {}): Promise<Network> {
  const { network: start, seed, device } = spec;
  const network =
    'directory' in start
      ? await loadNetwork(start.directory, { device, control })
      : createNetwork(freshGraph(start, data), { seed: seedOf('weights', seed), device });
  try {
    const matched = matchClasses(network.graph, data);
    refuseMisfit(network.graph, matched.data);
    // Drawn weights may differ in their last bits between unlike processors; those of a file are the same or others.
    if ('directory' in start) await refuseOtherNetwork(network);
    if (data.doubt !== undefined) note(control, 0, 'load', `${data.name}: ${data.doubt}`);
    // A new network has the classes of the data, which needs no word.
    if (!('preset' in start)) for (const text of matched.notes) note(control, 0, 'load', text);
    // A network without its own takes those of the data.
    const hasOwn = 'directory' in start || ('graph' in start && start.graph.input.mean !== undefined);
    if (hasOwn) noteStatistics(network.graph, data, control);
    return networkOf(described(network.graph, data), network.handle);
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}
