// The end of a run: whether a stage is known to be the last, and how its network is finished where that is known only later.
import type { Network } from '../../train/network.js';
import { finishOf } from '../spec/epochs.js';
import type { Spec } from '../spec/spec.js';
import type { EndReason, StageRecord } from '../store/records.js';
import { stageDirectory, writeStage, writeStageRecord } from '../store/summary.js';
import { finishStage } from './finish.js';
import { finishedLater } from './position.js';
import type { Session } from './session.js';

/** Whether the run ends with this stage, as far as that is known before it is split. */
export const isKnownLast = ({ stop }: Spec, stage: number): boolean =>
  stop.stages !== undefined && stage >= stop.stages;

/** Whether a stage is to be finished if the run turns out to end with it. */
export const mayFinishLater = ({ fit, ...spec }: Spec, stage: number): boolean =>
  fit.finish.stages === 'last' &&
  finishOf(fit, stage, true).epochs > 0 &&
  !isKnownLast({ fit, ...spec }, stage);

/**
 * Ends a run with a stage that is recorded. Where its network is still to be finished, the finished one takes its place, as a
 * whole and with the record: a kill before leaves a stage that has not ended, which is split again, to the same end.
 */
export async function endedWith(
  session: Session,
  network: Network,
  record: StageRecord,
  ended: EndReason,
): Promise<StageRecord> {
  const { spec } = session;
  const directory = stageDirectory(spec.output, record.stage);
  const finished = mayFinishLater(spec, record.stage)
    ? await finishStage(session, network, record.stage)
    : null;
  if (finished === null) {
    const last = { ...record, ended };
    await writeStageRecord(directory, last);
    return last;
  }
  using kept = finished.network;
  const last = { ...(await finishedLater(session, network, record, finished)), ended };
  await writeStage(directory, kept, last);
  return last;
}
