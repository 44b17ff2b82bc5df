// Early looks: evaluation between epochs on validation images, where the experiment asks for it, and the best network of each stage so far.
import { join } from 'node:path';
import { isSplitgrowError } from '../../errors.js';
import { writeDirectoryAtomic, writeFileAtomic } from '../../machine/files/atomic.js';
import { readRanks } from '../../machine/launchers.js';
import { note } from '../../native/control.js';
import { decimal } from '../../statistics/format.js';
import { evaluateNetwork } from '../../train/fit.js';
import { averaged, FILES, type Network, writeNetworkFiles } from '../../train/network.js';
import { digestsOf, sealed } from '../store/record-files.js';
import type { EvaluationRecord, StateRecord } from '../store/records.js';
import type { Session } from './session.js';

/** output/early/stage-k: a network directory. Its early.json names the epoch. */
export function earlyDirectory(output: string, stage: number): string {
  return join(output, 'early', `stage-${stage}`);
}

/** Whether the latest epoch must still be evaluated. */
export function lacksEvaluation({ spec, validation }: Session, { epochs, epoch }: StateRecord): boolean {
  const every = spec.checkpoint.evaluateEvery;
  const latest = epochs.at(-1);
  return (
    every > 0 &&
    validation !== null &&
    latest !== undefined &&
    epoch % every === 0 &&
    latest.evaluation === undefined
  );
}

async function keepBest(
  { spec, control }: Session,
  network: Network,
  { stage, epoch }: StateRecord,
  evaluation: EvaluationRecord,
): Promise<void> {
  if ((readRanks()?.rank ?? 0) > 0) return;
  const directory = earlyDirectory(spec.output, stage);
  const record = { format: 'splitgrow-early/1', stage, epoch: epoch - 1, evaluation };
  try {
    const fill = async (temporary: string): Promise<void> => {
      await writeNetworkFiles(network, temporary);
      const files = await digestsOf(temporary, Object.values(FILES));
      await writeFileAtomic(join(temporary, 'early.json'), sealed(record, files));
    };
    await writeDirectoryAtomic(directory, fill, { others: 'keep' });
  } catch (error) {
    if (isSplitgrowError(error) && error.code === 'E_OUTPUT') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    note(control, stage, 'checkpoint', `WARNING: the best network so far is not kept: ${reason}`);
  }
}

/** The state with the evaluation of its latest epoch, of the averaged network where one is kept; the best one is written. */
export async function evaluatedLatest(
  session: Session,
  network: Network,
  state: StateRecord,
): Promise<StateRecord> {
  const { spec, control, validation } = session;
  const { stage, epoch, epochs } = state;
  const latest = epochs.at(-1);
  if (latest === undefined || validation === null) return state;
  using average = averaged(network);
  const measured = average ?? network;
  const { top1, top5, loss, images } = await evaluateNetwork(measured, validation, {
    batch: spec.fit.evaluationBatch,
    control,
    where: { stage, epoch: epoch - 1, epochs: epoch },
  });
  const evaluation = { top1, top5, loss, images };
  const best = Math.max(...epochs.map((one) => one.evaluation?.top1 ?? Number.NEGATIVE_INFINITY));
  const isBest = top1 > best;
  if (isBest) await keepBest(session, measured, state, evaluation);
  note(
    control,
    stage,
    'evaluate',
    `after epoch ${epoch}: validation top-1 ${decimal(top1, 2)} %${isBest ? ', the best of the stage so far' : ''}`,
  );
  return { ...state, epochs: [...epochs.slice(0, -1), { ...latest, evaluation }] };
}
