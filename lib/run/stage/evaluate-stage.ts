// A network on the validation images, by which choices are made, and on the test images, by which none is.

import { note } from '../../native/control.js';
import type { DatasetHandle } from '../../native/face.js';
import { decimal } from '../../statistics/format.js';
import { evaluateNetwork } from '../../train/fit.js';
import type { Network } from '../../train/network.js';
import type { EvaluationRecord } from '../store/records.js';
import type { Session } from './session.js';

/** A network on the test and on the validation images. */
export interface Evaluated {
  readonly evaluation: EvaluationRecord;
  /** Absent where the experiment sets no images apart. */
  readonly validation?: EvaluationRecord | undefined;
  /** Of both. */
  readonly seconds: number;
}

/** "top-1 60.20 %, top-5 95.10 %, loss 1.1234" */
function words({ top1, top5, loss }: EvaluationRecord): string {
  return `top-1 ${decimal(top1, 2)} %, top-5 ${decimal(top5, 2)} %, loss ${decimal(loss, 4)}`;
}

/**
 * The one look at the test images that a finished network gets. Where there are validation images, they are looked at too,
 * and the progress tells their numbers alone: nobody is to stop or choose by test images.
 */
export async function evaluateStage(session: Session, network: Network, stage: number): Promise<Evaluated> {
  const { spec, control, test, validation } = session;
  let spent = 0;
  const measured = async (images: DatasetHandle): Promise<EvaluationRecord> => {
    const {
      seconds,
      top1,
      top5,
      loss,
      images: count,
    } = await evaluateNetwork(network, images, {
      batch: spec.fit.evaluationBatch,
      control,
      where: { stage, epoch: 0, epochs: 1 },
    });
    spent += seconds;
    return { top1, top5, loss, images: count };
  };
  const chosenBy = validation === null ? undefined : await measured(validation);
  const evaluation = await measured(test);
  const told = chosenBy === undefined ? words(evaluation) : `validation ${words(chosenBy)}`;
  note(control, stage, 'evaluate', told);
  return { evaluation, validation: chosenBy, seconds: spent };
}
