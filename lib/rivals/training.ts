// One training of a rival, in a folder of its own under output/compare: named by what it is, done once, resumed after a kill.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { withClasses } from '../graph/classes.js';
import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { note, refuseAborted } from '../native/control.js';
import { loadCore, type TensorMap } from '../native/core.js';
import type { FitSpec, Spec } from '../run/spec/spec.js';
import { openSession } from '../run/stage/session.js';
import { trainNetwork } from '../run/stage/train.js';
import type { StageRecord } from '../run/store/records.js';
import { integer } from '../statistics/format.js';
import type { Network } from '../train/network.js';
import { createNetwork } from '../train/network.js';
import { type Penalties, penaltyTensors } from '../train/penalties.js';
import { type Purpose, seedOf } from '../train/seeds.js';
import type { Contest } from './contest.js';

/** A training, before it is known whether it has been done already. */
export interface Job {
  /** What people read in the folder's name: "prune-bn-557056". */
  readonly name: string;
  /** The same in words, for notes and for the name of its experiment. */
  readonly title: string;
  readonly graph: Graph;
  readonly fit: FitSpec;
  /** Whatever decides the weights besides graph, recipe, data and seed. */
  readonly key: unknown;
  /** Made only where there is something left to train. */
  readonly start: () => Network | Promise<Network>;
  /** Sparsity training, from the weights that each epoch starts with. */
  readonly penalties?: (graph: Graph, weights: TensorMap) => ReadonlyMap<string, Float32Array>;
  /** Images of another resolution, and the `data` of the experiment that says so. */
  readonly images?: { readonly resized: () => Promise<Dataset>; readonly data: Spec['data'] };
}

export interface Trained {
  readonly record: StageRecord;
  readonly directory: string;
  /** Name of the folder: what another training is made from is told by it. */
  readonly id: string;
}

/** Readable, and another one whenever graph, recipe or options differ; what only describes images and classes is none of them. */
function folderOf({ name, graph, fit, key }: Job): string {
  const { shortSide: _, ...input } = graph.input;
  const digest = createHash('sha256')
    .update(JSON.stringify([withClasses({ ...graph, input }, undefined), fit, key]))
    .digest('hex');
  return `${name}-${digest.slice(0, 8)}`;
}

function specOf({ spec }: Contest, job: Job, output: string): Spec {
  return {
    ...spec,
    name: `${spec.name}: ${job.title}`,
    fit: job.fit,
    data: job.images?.data ?? spec.data,
    compare: [],
    output,
  };
}

function penaltiesOf({ penalties }: Job): Penalties | undefined {
  if (penalties === undefined) return undefined;
  return ({ graph, handle }) =>
    penaltyTensors(penalties(graph, new Map(loadCore().readNetwork(handle, 'weights'))));
}

/** Trains a rival's network, unless its folder has it already. */
export async function trainOnce(contest: Contest, job: Job): Promise<Trained> {
  const { spec, control } = contest;
  refuseAborted(control);
  const stage = contest.grown.length;
  const own = {
    ...control,
    onEvent: control.onEvent && ((event) => control.onEvent?.({ ...event, stage })),
  } satisfies typeof control;
  const id = folderOf(job);
  const rival = specOf(contest, job, join(spec.output, 'compare', id));
  const prepare = async () => {
    note(own, stage, 'fit', `rival: ${job.title}, ${integer(macs(job.graph))} MACs`);
    const data = job.images === undefined ? contest.data : await job.images.resized();
    const session = openSession(rival, data, job.graph, own);
    try {
      const start = await job.start();
      return { session: { ...session, penalties: penaltiesOf(job) }, start };
    } catch (error) {
      session[Symbol.dispose]();
      throw error;
    }
  };
  const record = await trainNetwork(rival, prepare, own);
  return { record, directory: rival.output, id };
}

/** New weights, from the experiment's seed. */
export function freshNetwork(
  { spec }: Contest,
  graph: Graph,
  purpose: Extract<Purpose, 'weights' | 'rival'> = 'weights',
): Network {
  return createNetwork(graph, { seed: seedOf(purpose, spec.seed), device: spec.device });
}
