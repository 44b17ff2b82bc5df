// Parametric updates only: the trained network is the output folder itself.
import { join } from 'node:path';
import { countOf } from '../../data/part.js';
import { writeSafetensors } from '../../data/safetensors.js';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import { note, refuseAborted } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { loadCore } from '../../native/load.js';
import { withThreads } from '../../native/threads.js';
import { watched } from '../../native/watched.js';
import { FILES, type Network, refuseNotFinite } from '../../train/network.js';
import { epochsBehind, stretched } from '../spec/epochs.js';
import type { Spec } from '../spec/spec.js';
import { noteUnused } from '../spec/unused-notes.js';
import { furthestPlace } from '../store/checkpoint-places.js';
import { holdOf } from '../store/lock.js';
import { restoreMetrics } from '../store/metrics.js';
import { withOutput } from '../store/output.js';
import type { StageRecord, Summary } from '../store/records.js';
import { summaryOf, writeFirstRecord, writeSummary } from '../store/summary.js';
import { wholeStage } from '../store/whole-stage.js';
import { finishFit, resume } from './position.js';
import { openSession, readData, type Session } from './session.js';
import { startNetwork } from './start.js';

/** Trains the experiment's network, from where an earlier run was stopped. Writes the output folder; returns the summary. */
export async function trainExperiment(given: Spec, control: RunControl = {}): Promise<Summary> {
  return watched(control, (own) => withThreads(given.threads, () => trained(given, own)));
}

async function trained(given: Spec, control: RunControl): Promise<Summary> {
  refuseAborted(control);
  // There is no growth to go on with: fitting and finishing are one training.
  const spec = { ...given, fit: stretched(given.fit, 0, epochsBehind(given.fit, 1)) };
  const data = await readData(spec, control);
  using start = await startNetwork(spec, data, control);
  const use = {
    spec: given,
    command: 'train',
    graph: start.graph,
    trainImages: countOf(data.train),
  } as const;
  noteUnused(use, control);
  using session = openSession(spec, data, start.graph, control);
  const record = await trainNetwork(spec, async () => ({ session, start }), control);
  return summaryOf(spec, [{ record, directory: spec.output }]);
}

/** What a training starts from, the same whenever it is resumed; both are disposed of when it is done. */
export interface Prepared {
  readonly session: Session;
  readonly start: Network;
}

/**
 * Trains a network by the recipe of an experiment into its output folder; resumes. Where it is done it does nothing,
 * and `prepare` is not called.
 */
export async function trainNetwork(
  spec: Spec,
  prepare: () => Promise<Prepared>,
  control: RunControl,
): Promise<StageRecord> {
  const hold = holdOf(control);
  return withOutput(spec, 'train', { hold }, async () => {
    const finished = await wholeStage(spec.output, spec.output, {
      canRedo: (await furthestPlace(spec.output)) !== null,
      tell: (text) => note(control, 0, 'checkpoint', text),
    });
    if (finished !== null) return finished.record;
    const prepared = await prepare();
    using session: Session = { ...prepared.session, control: hold.control };
    using start = prepared.start;
    const position = await resume(spec, start, hold.control);
    using network = position.network;
    await restoreMetrics(spec.output, position.state);
    const write = (made: StageRecord, kept: Network): Promise<void> =>
      writeTrained(spec, kept, { ...made, ended: 'train' });
    const record = await finishFit(session, { ...position, network }, write);
    note(control, 0, 'checkpoint', `the trained network is in ${spec.output}`);
    return { ...record, ended: 'train' } satisfies StageRecord;
  });
}

/** The record comes last: with it the output is finished. */
async function writeTrained(spec: Spec, network: Network, record: StageRecord): Promise<void> {
  const file = join(spec.output, FILES.weights);
  const weights = new Map(loadCore().readNetwork(network.handle, 'weights'));
  refuseNotFinite(weights, file);
  await writeSafetensors(file, weights);
  await writeFileAtomic(join(spec.output, FILES.graph), `${JSON.stringify(network.graph, null, 2)}\n`);
  await writeSummary(spec.output, summaryOf(spec, [{ record, directory: spec.output }]));
  await writeFirstRecord(spec.output, record);
}
