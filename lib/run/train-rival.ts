// One training of a rival, in a folder of its own under output/compare: named by what it is, done once, resumed after a kill.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { sizesAt } from '../data/images/settings.js';
import { countOf } from '../data/part.js';
import { resizedDataset } from '../data/resize.js';
import { withClasses } from '../graph/classes.js';
import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { note, refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { loadCore } from '../native/load.js';
import type { Job, Trained } from '../rivals/contest.js';
import { integer } from '../statistics/format.js';
import { type Penalties, penaltyTensors } from '../train/penalties.js';
import { DELIVER } from './spec/deliver.js';
import { stretched } from './spec/epochs.js';
import type { FitSpec, Spec } from './spec/spec.js';
import { fitCompute } from './stage/compute.js';
import { openSession } from './stage/session.js';
import { trainNetwork } from './stage/train.js';

/** The run that rivals are trained beside. */
export interface Shared {
  readonly spec: Spec;
  readonly data: Dataset;
  /** The seed network's graph. */
  readonly start: Graph;
  /** Stage that events are told of: the one after the last. */
  readonly stage: number;
  readonly control: RunControl;
}

/** Readable, and another one whenever graph, recipe or key differ. What only describes images and classes does not count. */
function folderOf({ name, graph, key }: Job, { rateByAge: _, ...fit }: FitSpec): string {
  const { shortSide: _side, ...input } = graph.input;
  // A rival has no finishing. Said as in older versions, so that what they trained is found.
  const recipe = { ...fit, finish: { epochs: 0 } };
  const digest = createHash('sha256')
    .update(JSON.stringify([withClasses({ ...graph, input }, undefined), recipe, key]))
    .digest('hex');
  return `${name}-${digest.slice(0, 8)}`;
}

/** The `data` part for smaller images. Shifts keep their share of the image. */
function dataAtSize(data: Spec['data'], resolution: number, full: number): Spec['data'] {
  if (!('cropPadding' in data)) return { ...data, ...sizesAt(data, resolution) };
  return { ...data, cropPadding: Math.round((data.cropPadding * resolution) / full) };
}

function penaltiesOf({ penalties }: Job): Penalties | undefined {
  if (penalties === undefined) return undefined;
  return ({ graph, handle }) =>
    penaltyTensors(penalties(graph, new Map(loadCore().readNetwork(handle, 'weights'))));
}

/** The recipe of the job's stage over its epochs, at its rate. */
function fitOf({ fit }: Spec, { stage, epochs, learningRate }: Job): FitSpec {
  const whole = stretched(fit, stage, epochs);
  return learningRate === undefined || learningRate === null
    ? whole
    : { ...whole, optimizer: { ...whole.optimizer, learningRate } };
}

/** Trains a rival's network, unless its folder has it already. */
export async function trainRival({ spec, data, start, stage, control }: Shared, job: Job): Promise<Trained> {
  refuseAborted(control);
  const told = {
    ...control,
    onEvent: control.onEvent && ((event) => control.onEvent?.({ ...event, stage })),
  } satisfies RunControl;
  // Rivals are not grown: all their weights are of one age.
  const fit = { ...fitOf(spec, job), rateByAge: false };
  const id = folderOf(job, fit);
  const { resolution } = job;
  const rival: Spec = {
    ...spec,
    name: `${spec.name}: ${job.title}`,
    fit,
    data: resolution === undefined ? spec.data : dataAtSize(spec.data, resolution, start.input.shape[1]),
    compare: [],
    deliver: DELIVER.parse({}),
    output: join(spec.output, 'compare', id),
  };
  const prepare = async () => {
    note(told, stage, 'fit', `rival: ${job.title}, ${integer(macs(job.graph))} MACs`);
    const images =
      resolution === undefined ? data : await resizedDataset(data, resolution, { control, stage });
    const session = openSession(rival, images, job.graph, told);
    try {
      const network = await job.start();
      return { session: { ...session, penalties: penaltiesOf(job) }, start: network };
    } catch (error) {
      session[Symbol.dispose]();
      throw error;
    }
  };
  const record = await trainNetwork(rival, prepare, told);
  // Rivals that an older version trained have no such number in their records.
  const compute = fitCompute({ spec: rival, trainImages: countOf(data.train) }, job.graph, record.epochs);
  return { record, directory: rival.output, compute, id };
}
