// import: a network directory from the weights of torchvision or timm, by a table of names.
import { shortSideOf } from '../data/images/settings.js';
import { readSafetensors } from '../data/safetensors.js';
import { narrowed } from '../data/widen.js';
import { SplitgrowError } from '../errors.js';
import { parseGraph } from '../graph/check.js';
import { withClasses } from '../graph/classes.js';
import { macs, params } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { type NameMap, nameMap, theirName } from '../models/names.js';
import { unwrapped } from '../models/wrapped.js';
import { buildPreset, type PresetOptions } from '../models/zoo.js';
import { note, refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { DType, TensorData, TensorMap } from '../native/face.js';
import { watched } from '../native/watched.js';
import { checkWeights, createNetwork, refuseOccupied, saveNetwork } from '../train/network.js';

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

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

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

/** Names that the library gives to the tensors of the preset, however many classes and channels there are. */
function namesOf({ preset, options = {} }: ImportOptions, map: NameMap): ReadonlySet<string> {
  const given = Object.entries({ ...map.options, ...options }).filter(([, value]) => value !== undefined);
  const graph = buildPreset(preset, Object.fromEntries(given) as PresetOptions);
  const names = lower(graph).instructions.flatMap(({ parameters }) =>
    parameters.map(({ name }) => theirName(map, name)),
  );
  return new Set(names.filter((name) => name !== null));
}

/** One number a channel of each. @throws E_ARGUMENT where there are others, or the library's own are of other images */
function statisticsFor(channels: number, { from, mean, std }: ImportOptions, map: NameMap) {
  if (channels !== map.mean.length && (mean === undefined || std === undefined)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `mean and std: the weights take images of ${counted(channels, 'channel')}, and those that ${from} normalises by are of ${map.mean.length} (mean ${map.mean.join(', ')}); give --mean and --std, ${counted(channels, 'number')} each, that the images were normalised by in training`,
    );
  }
  const statistics = { mean: mean ?? map.mean, std: std ?? map.std };
  for (const [name, values] of Object.entries(statistics)) {
    const isPositive = name === 'mean' || values.every((value) => value > 0);
    if (values.length === channels && isPositive && values.every(Number.isFinite)) continue;
    throw new SplitgrowError(
      'E_ARGUMENT',
      `${name}: expected ${counted(channels, 'number')}${name === 'std' ? ' above 0' : ''}, one a channel, got ${values.join(', ')}`,
    );
  }
  return statistics;
}

function graphFor(options: ImportOptions, map: NameMap, tensors: TensorMap): Graph {
  const { preset, shortSide, classNames } = options;
  const found = {
    classes: axisOf(tensors, map, 'classifier.weight', 0),
    channels: axisOf(tensors, map, 'stem.weight', 1),
  };
  const given = Object.entries({ ...map.options, ...found, ...options.options });
  const known = given.filter(([, value]) => value !== undefined);
  const graph = buildPreset(preset, Object.fromEntries(known) as PresetOptions);
  const [channels, resolution] = graph.input.shape;
  const statistics = statisticsFor(channels, options, map);
  const { classes } = lower(graph);
  if (classNames !== undefined && classNames.length !== classes) {
    throw new SplitgrowError(
      'E_GRAPH_OUTPUT',
      `class names: expected ${classes}, one for each class of ${options.weights}, got ${classNames.length}`,
    );
  }
  const usual = shortSideOf({ shortSide: null, resolution });
  const input = { ...graph.input, ...statistics, shortSide: shortSide ?? usual };
  return parseGraph(withClasses({ ...graph, input }, classNames));
}

/** Types of weights: what a file has as float16 or bfloat16 is float32 once it is read. */
const FLOATS: readonly DType[] = ['float32', 'float64'];

const typed = ({ dtype, shape }: Pick<TensorData, 'dtype' | 'shape'>): string =>
  `${dtype} [${shape.join(', ')}]`;

/** Their tensors under our names. @throws E_WEIGHTS naming what is missing, of another shape, or has no place */
function renamed(
  graph: Graph,
  map: NameMap,
  tensors: TensorMap,
  { weights, from, preset }: ImportOptions,
): TensorMap {
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
    else if (tensor.shape.join() !== shape.join() || !FLOATS.includes(tensor.dtype))
      misshaped.push(`${theirs} ${typed(tensor)} for ${typed(want)}`);
    else taken.set(name, narrowed(tensor, { code: 'E_WEIGHTS', place: weights, name: theirs }));
    if (theirs !== null) used.add(theirs);
  }
  const extra = [...tensors.keys()].filter((name) => !used.has(name));
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
  return taken;
}

/**
 * Writes a network directory with the weights of a state dict of torchvision or timm. Which modules they are stands in
 * `NAMES`; activation, widths and normalisation are the library's unless options say otherwise. float16, bfloat16 and float64
 * weights become float32; prefixes of wrappers (`module.`, `model.`, `_orig_mod.`) and batch norms' counters are left out, with a note.
 *
 * @throws E_PRESET, E_ARGUMENT, E_GRAPH_FORMAT and E_GRAPH_OUTPUT for names that will not do, E_FILE, E_SAFETENSORS, E_ABORTED before anything is written, and E_WEIGHTS naming the tensors that are missing, extra or misshaped
 */
export async function importWeights(
  options: ImportOptions,
  control: RunControl = {},
): Promise<ImportDocument> {
  return watched(control, (own) => imported(options, own));
}

async function imported(options: ImportOptions, control: RunControl): Promise<ImportDocument> {
  const { weights, from, preset, out } = options;
  const map = nameMap(from, preset);
  refuseAborted(control);
  const found = await readSafetensors(weights);
  const { tensors, changes } = unwrapped(found, namesOf(options, map));
  if (changes.length > 0) note(control, 0, 'load', `${weights}: ${changes.join('; ')}`);
  const graph = graphFor(options, map, tensors);
  const taken = renamed(graph, map, tensors, options);
  checkWeights(graph, taken, weights);
  await refuseOccupied(out);
  refuseAborted(control);
  using network = createNetwork(graph, { seed: 0, device: 'cpu', weights: taken });
  await saveNetwork(network, out);
  return {
    directory: out,
    tensors: taken.size,
    ignored: found.size - taken.size,
    macs: macs(graph),
    params: params(graph),
  };
}
