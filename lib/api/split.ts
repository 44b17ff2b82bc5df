// split: the planned neurons of a network replaced by two offspring each.

import { some } from '../data/images/part-folders.js';
import { readSafetensors } from '../data/safetensors.js';
import { narrowed } from '../data/widen.js';
import { SplitgrowError } from '../errors.js';
import { macs } from '../graph/cost.js';
import { FLOAT32, isFloat32 } from '../graph/float32.js';
import type { Plan } from '../graph/grow.js';
import { normalizedPlan } from '../graph/grow.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { Chain } from '../graph/program.js';
import { unknownKey } from '../graph/rules.js';
import { readJsonFile } from '../machine/files/text-file.js';
import { note, refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { Device, TensorData, TensorMap } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import { splitNetwork } from '../split/step/offspring.js';
import { isFiniteTensor, loadNetwork, refuseOccupied, saveNetwork } from '../train/network.js';

export type { Plan };

/** Which neurons `split` splits, and how far. */
export interface SplitOptions {
  /** A network directory. */
  readonly network: string;
  /** Plan file, `{"splits": {"<layer id>": [neuron, ...]}}`, or that object. */
  readonly plan: string | Plan;
  /** Safetensors file of splitting directions, `<layer id>` -> [neurons, d]. */
  readonly directions: string;
  /** Step of the offspring: theta + epsilon v and theta - epsilon v. */
  readonly epsilon: number;
  /** Directory of the new network. */
  readonly out: string;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
}
/** What `split` prints. */
export interface SplitDocument {
  /** MACs of the network given. */
  readonly macsBefore: number;
  /** MACs of the new one. */
  readonly macsAfter: number;
  /** Neurons split, for every tied producer. */
  readonly split: Readonly<Record<string, readonly number[]>>;
}

/** Fields of a plan. */
const PLAN_FIELDS = ['splits'] as const;

async function readPlan(plan: string | Plan): Promise<Plan> {
  const place = typeof plan === 'string' ? plan : 'plan';
  const json: unknown = typeof plan === 'string' ? await readJsonFile(plan, { code: 'E_PLAN' }) : plan;
  if (json === undefined)
    throw new SplitgrowError('E_FILE', `${place}: expected a plan in JSON, there is no such file`);
  const splits = typeof json === 'object' && json !== null ? (json as Partial<Plan>).splits : undefined;
  const lists: unknown[] =
    typeof splits === 'object' && splits !== null && !Array.isArray(splits) ? Object.values(splits) : [null];
  const isPlan = lists.every(
    (list) => Array.isArray(list) && list.every((neuron) => Number.isInteger(neuron)),
  );
  if (!isPlan) {
    throw new SplitgrowError(
      'E_PLAN',
      `${place}: expected {"splits": {"<layer id>": [neuron, ...]}}, got another shape`,
    );
  }
  const stray = unknownKey(json, PLAN_FIELDS);
  if (stray !== undefined) throw new SplitgrowError('E_PLAN', `${place}: ${stray}`);
  return json as Plan;
}

/** Tells the neurons that a plan names more than once: each time makes one copy more (docs/reference.md). */
function noteRepeated({ splits }: Plan, control: RunControl): void {
  for (const [id, neurons] of Object.entries(splits)) {
    const again = [...new Set(neurons.filter((neuron, at) => neurons.indexOf(neuron) !== at))];
    if (again.length > 0)
      note(
        control,
        0,
        'grow',
        `the plan names ${again.length === 1 ? 'a neuron' : `${again.length} neurons`} of "${id}" more than once: ${some(again.map(String))}; each time it is split once more`,
      );
  }
}

/** Directions of every layer that is split, and of other layers that the file names. @throws E_DIRECTIONS */
function checkDirections(graph: Graph, plan: Plan, tensors: TensorMap, file: string): TensorMap {
  const chains = new Map<string, Chain>(lower(graph).chains.map((chain) => [chain.id, chain]));
  const nodes = new Set(graph.nodes.map(({ id }) => id));
  const stray = [...tensors.keys()].find((name) => !nodes.has(name));
  if (stray !== undefined) {
    throw new SplitgrowError(
      'E_DIRECTIONS',
      `${file}: expected names of layers, got "${stray}"; is it of another network?`,
    );
  }
  const missing = Object.keys(plan.splits).find((id) => !tensors.has(id));
  if (missing !== undefined) {
    throw new SplitgrowError(
      'E_DIRECTIONS',
      `${file}: expected directions of "${missing}", which is split, found none`,
    );
  }
  const kept = [...tensors]
    .filter(([id]) => chains.has(id))
    .map(([id, tensor]): [string, TensorData] => [
      id,
      narrowed(tensor, { code: 'E_DIRECTIONS', place: file, name: id }),
    ]);
  for (const [id, tensor] of kept) {
    const { neurons, dimension } = chains.get(id) ?? { neurons: 0, dimension: 0 };
    if (tensor.dtype !== 'float32' || tensor.shape.join() !== [neurons, dimension].join()) {
      throw new SplitgrowError(
        'E_DIRECTIONS',
        `${file}: expected "${id}" float32 [${neurons}, ${dimension}], got ${tensor.dtype} [${tensor.shape.join(', ')}]`,
      );
    }
    if (!isFiniteTensor(tensor))
      throw new SplitgrowError('E_DIRECTIONS', `${file}: "${id}" holds a number that is not finite`);
  }
  return new Map(kept);
}

/**
 * Splits the planned neurons at theta +- epsilon v and writes the new network directory.
 *
 * @throws E_PLAN, E_DIRECTIONS, E_ARGUMENT, E_FILE; E_ABORTED before anything is written
 */
export async function split(options: SplitOptions, control: RunControl = {}): Promise<SplitDocument> {
  const { epsilon } = options;
  if (!isFloat32(epsilon))
    throw new SplitgrowError('E_ARGUMENT', `epsilon: expected ${FLOAT32}, got ${epsilon}`);
  return watched(control, (own) => withThreads(options.threads, () => splitTo(options, own)));
}

async function splitTo(
  { epsilon, out, ...options }: SplitOptions,
  control: RunControl,
): Promise<SplitDocument> {
  const device = options.device ?? 'cpu';
  const asked = await readPlan(options.plan);
  using network = await loadNetwork(options.network, { device, control });
  const plan = normalizedPlan(network.graph, asked);
  noteRepeated(asked, control);
  const tensors = checkDirections(
    network.graph,
    plan,
    await readSafetensors(options.directions),
    options.directions,
  );
  await refuseOccupied(out);
  refuseAborted(control);
  using directions = loadCore().createDirections([...tensors], device);
  using grown = await splitNetwork(network, plan, directions, { epsilon, momentum: 'reset' });
  refuseAborted(control);
  await saveNetwork(grown, out);
  return { macsBefore: macs(network.graph), macsAfter: macs(grown.graph), split: plan.splits };
}
