// import: a network directory from the weights of torchvision or timm, by a table of names.
import { shortSideOf } from '../data/images/settings.js';
import { readSafetensors } from '../data/safetensors.js';
import { SplitgrowError } from '../errors.js';
import type { RunControl } from '../events.js';
import { parseGraph } from '../graph/check.js';
import { withClasses } from '../graph/classes.js';
import { macs, params } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { IGNORED, type NameMap, nameMap, theirName } from '../models/names.js';
import { buildPreset, type PresetOptions } from '../models/zoo.js';
import type { TensorData, TensorMap } from '../native.js';
import { checkWeights, createNetwork, saveNetwork } from '../network.js';
import { refuseAborted } from '../train/control.js';
import { refuseOccupied } from './split.js';

/** Whose weights `importWeights` takes. */
export interface ImportOptions {
  /** Safetensors file of a state dict. */
  readonly weights: string;
  /** Whose names the file has. */
  readonly from: 'torchvision' | 'timm';
  /** The preset that the network is. */
  readonly preset: string;
  /** Options of the preset; the library's own where they are left out, `classes` and `channels` those of the weights. */
  readonly options?: PresetOptions | undefined;
  /** What pixels / 255 were normalised by; default: what the library's weights say of themselves. */
  readonly mean?: readonly number[] | undefined;
  /** Likewise; above 0. */
  readonly std?: readonly number[] | undefined;
  /** Of image files: their shorter side before the centre crop; default 256 / 224 of the resolution. */
  readonly shortSide?: number | undefined;
  /** Names of the classes, as many as the weights have, in their order; default: none. */
  readonly classNames?: readonly string[] | undefined;
  /** Directory of the new network. */
  readonly out: string;
}

/** What `import` prints. */
export interface ImportDocument {
  /** The new network directory. */
  readonly directory: string;
  /** Tensors taken over, and those of the file that no network needs. */
  readonly tensors: number;
  /** Tensors of the file that no network needs. */
  readonly ignored: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
}

/** How many tensors an error names of each kind. */
const NAMED = 4;

function named(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return [`${what} ${names.slice(0, NAMED).join(', ')}${more}`];
}

/** Length of an axis of a layer of theirs, where there is one: tells classes and channels. */
function axisOf(tensors: TensorMap, map: NameMap, name: string, axis: number): number | undefined {
  return tensors.get(theirName(map, name) ?? '')?.shape[axis];
}

function graphFor(
  { preset, options = {}, mean, std, shortSide, classNames }: ImportOptions,
  map: NameMap,
  tensors: TensorMap,
): Graph {
  const found = {
    classes: axisOf(tensors, map, 'classifier.weight', 0),
    channels: axisOf(tensors, map, 'stem.weight', 1),
  };
  const given = Object.entries({ ...map.options, ...found, ...options });
  const known = given.filter(([, value]) => value !== undefined);
  const graph = buildPreset(preset, Object.fromEntries(known) as PresetOptions);
  const [channels, resolution] = graph.input.shape;
  const statistics = { mean: mean ?? map.mean, std: std ?? map.std };
  for (const [name, values] of Object.entries(statistics)) {
    const isPositive = name === 'mean' || values.every((value) => value > 0);
    if (values.length === channels && isPositive && values.every(Number.isFinite)) continue;
    throw new SplitgrowError(
      'E_ARGUMENT',
      `${name}: expected ${channels} numbers${name === 'std' ? ' above 0' : ''}, one a channel, got ${values.join(', ')}`,
    );
  }
  const usual = shortSideOf({ shortSide: null, resolution });
  const input = { ...graph.input, ...statistics, shortSide: shortSide ?? usual };
  return parseGraph(withClasses({ ...graph, input }, classNames));
}

const typed = ({ dtype, shape }: Pick<TensorData, 'dtype' | 'shape'>): string =>
  `${dtype} [${shape.join(', ')}]`;

/** Their tensors under our names. @throws E_WEIGHTS naming what is missing, of another shape, or has no place */
function renamed(graph: Graph, map: NameMap, tensors: TensorMap, { weights, from, preset }: ImportOptions) {
  const wanted = lower(graph).instructions.flatMap(({ parameters }) => parameters);
  const taken = new Map<string, TensorData>();
  const used = new Set<string>();
  const [foreign, missing, misshaped]: [string[], string[], string[]] = [[], [], []];
  for (const { name, shape } of wanted) {
    const theirs = theirName(map, name);
    const tensor = theirs === null ? undefined : tensors.get(theirs);
    const want = { dtype: 'float32', shape } as const;
    if (theirs === null) foreign.push(name);
    else if (tensor === undefined) missing.push(theirs);
    else if (typed(tensor) !== typed(want)) misshaped.push(`${theirs} ${typed(tensor)} for ${typed(want)}`);
    else taken.set(name, tensor);
    if (theirs !== null) used.add(theirs);
  }
  const others = [...tensors.keys()].filter((name) => !used.has(name));
  const extra = others.filter((name) => !IGNORED.test(name));
  const problems = [
    ...named('it has no', missing),
    ...named('of another shape are', misshaped),
    ...named('no place is there for', extra),
    ...named(`${from} has nothing for`, foreign),
  ];
  if (problems.length > 0) {
    throw new SplitgrowError(
      'E_WEIGHTS',
      `${weights}: expected the tensors of ${from}'s ${preset}; ${problems.join('; ')}; give the preset, library and options that the file is of`,
    );
  }
  return { taken, ignored: others.length };
}

/**
 * Writes a network directory with the weights of a state dict of torchvision or timm. Which modules they are stands in
 * `NAMES`; activation, widths and normalisation are the library's unless options say otherwise.
 *
 * @throws E_PRESET, E_ARGUMENT, E_GRAPH_FORMAT and E_GRAPH_OUTPUT for names that will not do, E_FILE, E_SAFETENSORS, E_ABORTED before anything is written, and E_WEIGHTS naming the tensors that are missing, extra or misshaped
 */
export async function importWeights(
  options: ImportOptions,
  control: RunControl = {},
): Promise<ImportDocument> {
  const { weights, from, preset, out } = options;
  const map = nameMap(from, preset);
  refuseAborted(control);
  const tensors = await readSafetensors(weights);
  const graph = graphFor(options, map, tensors);
  const { taken, ignored } = renamed(graph, map, tensors, options);
  checkWeights(graph, taken, weights);
  await refuseOccupied(out);
  refuseAborted(control);
  using network = createNetwork(graph, { seed: 0, device: 'cpu', weights: taken });
  await saveNetwork(network, out);
  return { directory: out, tensors: taken.size, ignored, macs: macs(graph), params: params(graph) };
}
