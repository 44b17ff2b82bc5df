// A network: its graph (data) and its tensors (a native handle), and the directory it is kept in.
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../data/safetensors.js';
import { narrowed } from '../data/widen.js';
import { reasonOf, SplitgrowError } from '../errors.js';
import { parseGraph } from '../graph/check.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { ProgramParameter } from '../graph/program.js';
import { writeDirectoryAtomic } from '../machine/files/atomic.js';
import { parseStrictJson } from '../machine/files/json.js';
import { readWhole } from '../machine/files/text-file.js';
import { unwrapped } from '../models/wrapped.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { Device, NetworkHandle, TensorData, TensorMap } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { GRAPH_FILE, networkFolder } from './run-folder.js';
import { refuseNoSeed } from './seeds.js';

/** A graph and its tensors on a device. `using` or `[Symbol.dispose]()` gives them back. */
export interface Network extends Disposable {
  /** What it computes. */
  readonly graph: Graph;
  /** Its tensors. */
  readonly handle: NetworkHandle;
}

/** Names of the two files of a network directory. */
export const FILES = { graph: GRAPH_FILE, weights: 'weights.safetensors' } as const;

export function networkOf(graph: Graph, handle: NetworkHandle): Network {
  return { graph, handle, [Symbol.dispose]: () => handle.dispose() };
}

/** How a network gets its weights. */
export interface CreateOptions {
  /** Decides the weights that are not given. */
  readonly seed: number;
  /** Where its tensors are. */
  readonly device: Device;
  /** By name, as in weights.safetensors; checked. */
  readonly weights?: TensorMap | undefined;
}

/** A network on a device; weights that are not given are initialised from the seed. */
export function createNetwork(graph: Graph, { seed, device, weights }: CreateOptions): Network {
  refuseNoSeed(seed);
  const program = lower(graph);
  return networkOf(graph, loadCore().createNetwork(program, [...(weights ?? new Map())], seed, device));
}

/** The network of the moving averages that training kept; null where it kept none. */
export function averaged({ graph, handle }: Network): Network | null {
  const made = loadCore().averagedNetwork(handle);
  return made === null ? null : networkOf(graph, made);
}

function parametersOf(graph: Graph): readonly ProgramParameter[] {
  return lower(graph).instructions.flatMap(({ parameters }) => parameters);
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** True when every number of a float32 tensor is finite. A hundred megabytes take some 30 ms. */
export function isFiniteTensor({ data }: TensorData): boolean {
  const whole = data.byteLength - (data.byteLength % 4);
  // A view of words is ten times as fast as a DataView; it needs bytes that begin at a multiple of four.
  const bytes = data.byteOffset % 4 === 0 ? data : data.slice();
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, whole / 4);
  // Infinity and NaN have all eight exponent bits set.
  return words.every((word) => (word & 0x7f800000) !== 0x7f800000);
}

/**
 * Refuses to write float32 tensors with a number that is not finite: nothing that is written holds one.
 *
 * @throws E_NOT_FINITE naming the tensor
 */
export function refuseNotFinite(tensors: TensorMap, place: string): void {
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'float32' || isFiniteTensor(tensor)) continue;
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `${place}: expected finite numbers to write, "${name}" holds another; nothing is written: take a smaller step (epsilon), or a lower rate`,
    );
  }
}

/** True where a float32 tensor holds a number below 0. */
function hasNegative({ data, shape }: TensorData): boolean {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Float32Array(data.slice().buffer, 0, count).some((value) => value < 0);
}

/** Every parameter there, of the right type and shape, finite, variances not below 0; nothing else. @throws E_WEIGHTS naming the tensor */
export function checkWeights(graph: Graph, weights: TensorMap, place: string): void {
  const expected = parametersOf(graph);
  for (const { name, shape } of expected) {
    const found = weights.get(name);
    const want = `${place}: expected "${name}" float32 ${shapeText(shape)}`;
    if (found === undefined) throw new SplitgrowError('E_WEIGHTS', `${want}, found no such tensor`);
    if (found.dtype !== 'float32' || shapeText(found.shape) !== shapeText(shape)) {
      throw new SplitgrowError('E_WEIGHTS', `${want}, got ${found.dtype} ${shapeText(found.shape)}`);
    }
    if (!isFiniteTensor(found)) {
      throw new SplitgrowError(
        'E_WEIGHTS',
        `${place}: "${name}" holds a number that is not finite; train again with a lower rate`,
      );
    }
    if (name.endsWith('.running_var') && hasNegative(found)) {
      throw new SplitgrowError(
        'E_WEIGHTS',
        `${place}: "${name}" holds a variance below 0, which no images have; use the right file`,
      );
    }
  }
  const known = new Set(expected.map(({ name }) => name));
  const extra = [...weights.keys()].find((name) => !known.has(name));
  if (extra !== undefined) {
    throw new SplitgrowError(
      'E_WEIGHTS',
      `${place}: "${extra}" belongs to no node of network.json; remove it or use the right file`,
    );
  }
}

function malformed(file: string, cause: unknown): SplitgrowError {
  const reason = reasonOf(cause);
  return new SplitgrowError('E_GRAPH_FORMAT', `${file}: expected JSON; ${reason}`, { cause });
}

/** The graph of a network directory, or of a run's folder (`networkFolder`). @throws E_FILE, where a record beside it states that it was another file too; E_GRAPH_* */
export async function readGraph(directory: string): Promise<Graph> {
  const file = join(await networkFolder(directory), FILES.graph);
  let text: string;
  try {
    text = await readWhole(file);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw malformed(file, cause);
    const reason = reasonOf(cause);
    throw new SplitgrowError(
      'E_FILE',
      `network ${directory}: expected a directory with ${FILES.graph}, or a run's folder; ${reason}`,
      { cause },
    );
  }
  let json: unknown;
  try {
    json = parseStrictJson(text);
  } catch (cause) {
    throw malformed(file, cause);
  }
  return parseGraph(json);
}

/**
 * The weights of a network directory, or of a run's folder (`networkFolder`), checked against its graph. Those that other programs saved are taken as well: float16,
 * bfloat16 and float64 become float32; batch norms' counters and the prefixes of wrappers are left out, with a note.
 *
 * @throws E_FILE, E_SAFETENSORS, E_WEIGHTS
 */
export async function readWeights(
  graph: Graph,
  directory: string,
  control: RunControl = {},
): Promise<TensorMap> {
  const file = join(await networkFolder(directory), FILES.weights);
  const expected = new Set(parametersOf(graph).map(({ name }) => name));
  const { tensors, changes, counters } = unwrapped(await readSafetensors(file), expected);
  const told =
    counters > 0 ? [...changes, `num_batches_tracked of ${counters} batch norms is left out`] : changes;
  if (told.length > 0) note(control, 0, 'load', `${file}: ${told.join('; ')}`);
  const weights = new Map(
    [...tensors].map(([name, tensor]) => [name, narrowed(tensor, { code: 'E_WEIGHTS', place: file, name })]),
  );
  checkWeights(graph, weights, file);
  return weights;
}

/** How a network is read. */
export interface LoadOptions {
  /** Where the network is made. */
  readonly device: Device;
  /** Told what is left out of the weights of other programs. */
  readonly control?: RunControl | undefined;
}

/** Reads a network directory, weights checked. A directory without weights is refused: createNetwork initialises. */
export async function loadNetwork(directory: string, { device, control }: LoadOptions): Promise<Network> {
  const graph = await readGraph(directory);
  const weights = await readWeights(graph, directory, control);
  return createNetwork(graph, { seed: 0, device, weights });
}

/** Writes the two files of a network into a directory that exists. */
export async function writeNetworkFiles(network: Network, directory: string): Promise<void> {
  const file = join(directory, FILES.weights);
  const weights = new Map(loadCore().readNetwork(network.handle, 'weights'));
  refuseNotFinite(weights, file);
  await writeSafetensors(file, weights);
  await writeFile(join(directory, FILES.graph), `${JSON.stringify(network.graph, null, 2)}\n`);
}

/** True for network.json as splitgrow writes it: another program's file of that name is not replaced. */
async function isGraphFile(file: string): Promise<boolean> {
  try {
    const { format } = JSON.parse(await readWhole(file)) as { readonly format?: unknown };
    return typeof format === 'string' && format.startsWith('splitgrow-network/');
  } catch {
    return false;
  }
}

/** A directory that is replaced must hold a network of splitgrow and nothing else. @throws E_ARGUMENT naming what is there */
export async function refuseOccupied(out: string): Promise<void> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new SplitgrowError(
      'E_ARGUMENT',
      `out ${out}: expected a directory or a new name; ${error.message}`,
      { cause: error },
    );
  });
  if (names.length === 0) return;
  const isOurs = await isGraphFile(join(out, FILES.graph));
  const other = names.find((name) => !isOurs || (name !== FILES.graph && name !== FILES.weights));
  if (other === undefined) return;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `out ${out}: expected a new, empty or network directory, found "${other}" in it; choose another`,
  );
}

/**
 * Writes a network directory as a whole or not at all. One that is there is replaced where it holds a network and nothing else.
 * @throws E_ARGUMENT naming another file in it; E_WRITE
 */
export async function saveNetwork(network: Network, directory: string): Promise<void> {
  await refuseOccupied(directory);
  await writeDirectoryAtomic(directory, (temporary) => writeNetworkFiles(network, temporary));
}
