// How far a run is: its network, stage and epoch. How that is found again, and how a stage is fitted.
import { some } from '../../data/images/part-folders.js';
import { SplitgrowError } from '../../errors.js';
import { costOfGraph, macs, params } from '../../graph/cost.js';
import type { Graph } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { widths } from '../../graph/print.js';
import { note } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { averaged, type Network } from '../../train/network.js';
import { callerCosts } from '../spec/extensions.js';
import type { Spec } from '../spec/spec.js';
import { type Position, readCheckpoint, writeCheckpoint } from '../store/checkpoint.js';
import { appendMetrics } from '../store/metrics.js';
import type { EpochRecord, EvaluationRecord, StageRecord, StateRecord, Within } from '../store/records.js';
import { snapshotOf } from '../store/snapshot.js';
import { fitCompute } from './compute.js';
import { type Evaluated, evaluateStage } from './evaluate-stage.js';
import { fitStage, freshState } from './fit-stage.js';
import type { Session } from './session.js';

const WITHIN: Readonly<Record<Within['phase'], (done: number) => string>> = {
  fit: (done) => ` and minibatch ${done} of the next one`,
  indices: () => ', within its splitting indices',
  grow: () => ' and of its splitting indices',
};

/** "after epoch 3 of stage 1 and minibatch 250 of the next one" */
function placeText({ stage, epoch, within }: StateRecord): string {
  return `after epoch ${epoch} of stage ${stage}${within === undefined ? '' : WITHIN[within.phase](within.done)}`;
}

/** @throws E_RESUME where the data has other classes than when the run was begun */
function refuseOtherClasses({ output }: Spec, network: Network, start: Graph): void {
  const [before, now] = [network.graph.classes, start.classes];
  const isSame = before === undefined || now === undefined || before.join('\n') === now.join('\n');
  if (isSame && lower(network.graph).classes === lower(start).classes) return;
  const added = now?.filter((name) => before?.includes(name) === false) ?? [];
  const gone = before?.filter((name) => now?.includes(name) === false) ?? [];
  const differences = [
    `it was begun with ${lower(network.graph).classes} classes, the data has ${lower(start).classes}`,
    ...(added.length > 0 ? [`new are ${some(added)}`] : []),
    ...(gone.length > 0 ? [`gone are ${some(gone)}`] : []),
  ];
  throw new SplitgrowError(
    'E_RESUME',
    `output ${output}: ${differences.join('; ')}; put the data back as it was, or choose another output`,
  );
}

/** The position of the furthest checkpoint. Without one it is that of the seed network, which becomes checkpoint 0. */
export async function resume(spec: Spec, start: Network, control: RunControl): Promise<Position> {
  const tell = (text: string): void => note(control, 0, 'checkpoint', text);
  const found = await readCheckpoint(spec, tell);
  if (found !== null) {
    try {
      refuseOtherClasses(spec, found.network, start.graph);
      note(control, found.state.stage, 'checkpoint', `continues ${placeText(found.state)}`);
      return found;
    } catch (error) {
      found.network[Symbol.dispose]();
      throw error;
    }
  }
  const state = freshState(0);
  await writeCheckpoint(spec, snapshotOf(start, state));
  return { network: start, state, extras: {} };
}

function recordOf(
  session: Session,
  { graph }: Network,
  stage: number,
  epochs: readonly EpochRecord[],
  { seconds, evaluation, validation }: Evaluated,
): StageRecord & Required<Pick<StageRecord, 'compute'>> {
  const costs = callerCosts(session.spec, session.callers).map(
    (cost) => [cost.name, costOfGraph(graph, cost)] as const,
  );
  const fit = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  return {
    format: 'splitgrow-stage/1',
    stage,
    macs: macs(graph),
    params: params(graph),
    flops2x: costOfGraph(graph, 'flops2x'),
    ...(costs.length > 0 && { costs: Object.fromEntries(costs) }),
    widths: widths(graph),
    epochs,
    evaluation,
    ...(validation && { validation }),
    split: null,
    ended: null,
    compute: { fit: fitCompute(session, graph, epochs), search: 0 },
    seconds: { fit, indices: 0, select: 0, grow: 0, evaluate: seconds },
  };
}

function finishedRecord(
  session: Session,
  network: Network,
  stage: number,
  epochs: readonly EpochRecord[],
  { epochs: finish, evaluation, validation, seconds }: Finished,
): StageRecord {
  const evaluated = { evaluation, validation, seconds: seconds.evaluate };
  const record = recordOf(session, network, stage, epochs, evaluated);
  const { fit, search } = record.compute;
  return {
    ...record,
    finish,
    compute: { fit, finish: fitCompute(session, network.graph, finish), search },
    seconds: { ...record.seconds, fit: record.seconds.fit + seconds.fit },
  };
}

/** A copy of a stage's network that was trained until its rate was 0, and the record of that. */
export interface Finished {
  /** The caller disposes of it. */
  readonly network: Network;
  readonly epochs: readonly EpochRecord[];
  readonly evaluation: EvaluationRecord;
  readonly validation?: EvaluationRecord | undefined;
  readonly seconds: { readonly fit: number; readonly evaluate: number };
}

/** Writes the line of metrics of a stage's network. */
function keepEvaluation({ spec }: Session, record: StageRecord): Promise<void> {
  const { stage, macs: work, params: size, evaluation } = record;
  return appendMetrics(spec.output, { type: 'evaluate', stage, macs: work, params: size, ...evaluation });
}

/** The record of a stage that was written before it was known to be the last, with what finished it since. */
export async function finishedLater(
  session: Session,
  { graph }: Network,
  record: StageRecord,
  { epochs: finish, evaluation, validation, seconds }: Finished,
): Promise<StageRecord> {
  const { compute } = record;
  await keepEvaluation(session, { ...record, evaluation });
  return {
    ...record,
    ...{ finish, evaluation, ...(validation && { validation }) },
    ...(compute && { compute: { ...compute, finish: fitCompute(session, graph, finish) } }),
    seconds: {
      ...record.seconds,
      fit: record.seconds.fit + seconds.fit,
      evaluate: record.seconds.evaluate + seconds.evaluate,
    },
  };
}

/** What is done to a fitted network before it is written; null: nothing. */
export type Finish = (session: Session, network: Network, stage: number) => Promise<Finished | null>;

/** Fits what is left of the stage, finishes or averages it, and evaluates; `write` keeps that network with its record. */
export async function finishFit(
  session: Session,
  { network, state, extras }: Position,
  write: (record: StageRecord, network: Network) => Promise<void>,
  finish: Finish = async () => null,
): Promise<StageRecord> {
  const { stage } = state;
  const epochs = await fitStage(session, network, { state, extras });
  const finished = await finish(session, network, stage);
  using kept = finished === null ? averaged(network) : finished.network;
  const made = kept ?? network;
  const record =
    finished === null
      ? recordOf(session, made, stage, epochs, await evaluateStage(session, made, stage))
      : finishedRecord(session, network, stage, epochs, finished);
  await keepEvaluation(session, record);
  await write(record, made);
  return record;
}
