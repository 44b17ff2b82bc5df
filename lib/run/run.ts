// Algorithm 1: fit, evaluate, split, again; every step on disk before the next begins.
import { countOf } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import { costOfGraph } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { note, refuseAborted } from '../native/control.js';
import type { RunControl, StageSeconds } from '../native/events.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import { layerCaps } from '../split/choose/rounding.js';
import type { Network } from '../train/network.js';
import { compareRivals } from './compare.js';
import { deliver } from './deliver.js';
import { checkGrowth } from './spec/batch-norm-passes.js';
import { epochsOf } from './spec/epochs.js';
import {
  type CallerTables,
  callerTablesOf,
  type Extensions,
  knownCost,
  refuseUnknown,
} from './spec/extensions.js';
import type { Spec } from './spec/spec.js';
import { noteUnused } from './spec/unused-notes.js';
import { adoptStage } from './stage/adopt.js';
import { endedWith, isKnownLast, mayFinishLater } from './stage/end-stage.js';
import { finishStage } from './stage/finish.js';
import { earlierStages } from './stage/finished-stages.js';
import { freshState } from './stage/fit-stage.js';
import { finishFit, resume } from './stage/position.js';
import { beginningNorms } from './stage/rates-by-age.js';
import { openSession, readData, type Session } from './stage/session.js';
import { splitStage } from './stage/split-stage.js';
import { startNetwork } from './stage/start.js';
import { type Position, writeCheckpoint } from './store/checkpoint.js';
import { holdOf } from './store/lock.js';
import { appendMetrics, restoreMetrics } from './store/metrics.js';
import { withOutput } from './store/output.js';
import {
  END_REASONS,
  type EndReason,
  type StageRecord,
  type StateRecord,
  type Summary,
} from './store/records.js';
import { snapshotOf } from './store/snapshot.js';
import {
  type GrownStage,
  grownStage,
  readStageRecord,
  readStages,
  stageDirectory,
  summaryOf,
  writeStage,
  writeStageRecord,
  writeSummary,
} from './store/summary.js';
import { wholeStage } from './store/whole-stage.js';

/** What a run is given besides its experiment and its control. */
export interface GrowOptions extends Extensions {
  /** A run that has not begun takes its stage 0 over from the run in this folder. */
  readonly seedFrom?: string | undefined;
  /** Told of every stage once its network and its record are on disk, those of earlier calls included. */
  readonly onStage?: ((stage: GrownStage) => void) | undefined;
}

/** Who makes the report of a run, once all its records are there; the output folder stays locked meanwhile. */
export interface Reporting {
  readonly writeReport?: ((output: string) => Promise<unknown>) | undefined;
}

type OnStage = (stage: GrownStage) => void;

/** Fits, finishes and evaluates a stage, and writes its directory. */
function fitted(session: Session, position: Position): Promise<StageRecord> {
  const { spec } = session;
  const directory = stageDirectory(spec.output, position.state.stage);
  const write = (made: StageRecord, network: Network): Promise<void> => writeStage(directory, network, made);
  const finish = mayFinishLater(spec, position.state.stage) ? undefined : finishStage;
  return finishFit(session, position, write, finish);
}

/** The record of a stage that was left within its splitting, where it is written already; null otherwise. */
async function alreadyFitted({ spec }: Session, { state }: Position): Promise<StageRecord | null> {
  const { stage, within } = state;
  if (within === undefined || within.phase === 'fit') return null;
  const record = await readStageRecord(stageDirectory(spec.output, stage));
  if (record === null) return null;
  const { macs, params, evaluation } = record;
  await appendMetrics(spec.output, { type: 'evaluate', stage, macs, params, ...evaluation });
  return { ...record, split: null, ended: null };
}

/** Where a run stands once a stage is fitted: after all of its epochs, and as far within the splitting as it was. */
function fittedPosition({ network, state, extras }: Position, { epochs }: StageRecord): Position {
  const { stage, within } = state;
  const isSplitting = within !== undefined && within.phase !== 'fit';
  const after = { stage, epoch: epochs.length, epochs };
  return isSplitting
    ? { network, state: { ...after, within }, extras }
    : { network, state: after, extras: {} };
}

/** With the multiply-adds of its search; a record that an older version began has none. */
function withSearch(record: StageRecord, search: number): StageRecord {
  const { compute } = record;
  return compute === undefined ? record : { ...record, compute: { ...compute, search } };
}

/** One stage from fit to growth: what the next one starts from, or null where growth ends. */
async function growStage(session: Session, position: Position, onStage: OnStage): Promise<Position | null> {
  const { spec } = session;
  const { stage } = position.state;
  const directory = stageDirectory(spec.output, stage);
  const already = await alreadyFitted(session, position);
  const record = already ?? (await fitted(session, position));
  const tell = (made: StageRecord): void =>
    onStage(grownStage({ record: { ...made, ended: null }, directory }, already !== null));
  // A stage that may yet be finished is told of once that is known.
  const isOpen = mayFinishLater(spec, stage);
  if (!isOpen) tell(record);
  const end = async (ended: EndReason, search = 0): Promise<null> => {
    const last = await endedWith(session, position.network, withSearch(record, search), ended);
    if (isOpen) tell(last);
    note(session.control, stage, 'select', END_REASONS[ended]);
    return null;
  };
  if (isKnownLast(spec, stage)) return end('stages');
  refuseAborted(session.control);
  const outcome = await splitStage(session, fittedPosition(position, record));
  if ('ended' in outcome) return end(outcome.ended, outcome.search);
  if (isOpen) tell(record);
  const { split, network } = outcome;
  const seconds: StageSeconds = { ...record.seconds, ...outcome.seconds };
  const { certificate, step, neurons } = split;
  const state = freshState(stage + 1);
  try {
    await writeStageRecord(directory, { ...withSearch(record, outcome.search), split, seconds });
    await appendMetrics(spec.output, { type: 'split', stage, certificate, step, neurons, seconds });
    await writeCheckpoint(spec, snapshotOf(network, state));
    return { network, state, extras: {} };
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}

/** True where nothing is left to grow. A run that ended for want of stages goes on when it is given more. */
async function isFinished(spec: Spec, { stage, epoch }: StateRecord): Promise<boolean> {
  const { output, fit } = spec;
  const record = await readStageRecord(stageDirectory(output, stage));
  if (record === null || record.ended === null || epoch < epochsOf(fit, stage)) return false;
  return record.ended !== 'stages' || isKnownLast(spec, stage);
}

/** Grows from where the run stands; returns the last stage. */
async function growAll(session: Session, begun: Position, onStage: OnStage): Promise<number> {
  let position = begun;
  const { stage } = begun.state;
  try {
    const { spec, control } = session;
    // Whatever follows finds the stage whole, or not there.
    await wholeStage(spec.output, stageDirectory(spec.output, stage), {
      canRedo: true,
      tell: (text) => note(control, stage, 'checkpoint', text),
    });
    const isDone = await isFinished(spec, begun.state);
    for (const kept of await earlierStages(session, stage, isDone)) onStage(grownStage(kept, true));
    if (isDone) return stage;
    await restoreMetrics(session.spec.output, begun.state);
    for (;;) {
      const next = await growStage(session, position, onStage);
      if (next === null) return position.state.stage;
      position.network[Symbol.dispose]();
      position = next;
    }
  } finally {
    position.network[Symbol.dispose]();
  }
}

function refuseEndless({ stop }: Spec): void {
  if (stop.stages !== undefined || stop.macs !== undefined || Object.keys(stop.costs ?? {}).length > 0)
    return;
  throw new SplitgrowError(
    'E_EXPERIMENT',
    'stop: expected stages, macs or costs, got none of them; growth would have no end',
  );
}

function refuseTooLarge({ stop }: Spec, start: Graph, callers: CallerTables): void {
  const caps = [
    ...(stop.macs === undefined ? [] : [{ field: 'stop.macs', name: 'macs', cap: stop.macs }]),
    ...Object.entries(stop.costs ?? {}).map(([name, cap]) => ({ field: `stop.costs.${name}`, name, cap })),
  ];
  for (const { field, name, cap } of caps) {
    const seed = costOfGraph(start, knownCost(callers, name));
    if (seed <= cap) continue;
    throw new SplitgrowError(
      'E_EXPERIMENT',
      `${field}: expected at least ${seed}, ${name === 'macs' ? 'the MACs' : `"${name}"`} of the network that the run starts from, got ${cap}`,
    );
  }
}

/**
 * Grows a network by a checked experiment, from where an earlier call was stopped. Writes the output folder.
 *
 * @returns What summary.json says.
 * @throws E_EXPERIMENT, E_DATA, E_RESUME before anything is trained; E_ABORTED, E_NOT_FINITE, E_FUNCTION_CHANGED, E_CALLBACK,
 *   E_WRITE, E_OUTPUT later, and then what is on disk is whole and the same call goes on from it
 */
export async function growExperiment(
  spec: Spec,
  control: RunControl = {},
  options: GrowOptions & Reporting = {},
): Promise<Summary> {
  return watched(control, (watching) => withThreads(spec.threads, () => grown(spec, watching, options)));
}

async function grown(
  spec: Spec,
  control: RunControl,
  { seedFrom, onStage = () => undefined, ...options }: GrowOptions & Reporting,
): Promise<Summary> {
  const callers = callerTablesOf(options, control.signal);
  refuseEndless(spec);
  refuseUnknown(spec, callers);
  refuseAborted(control);
  const data = await readData(spec, control);
  using start = await startNetwork(spec, data, control);
  noteUnused({ spec, command: 'grow', graph: start.graph, trainImages: countOf(data.train) }, control);
  refuseTooLarge(spec, start.graph, callers);
  layerCaps(start.graph, spec.splitting.layerCap);
  const hold = holdOf(control);
  const beginning = beginningNorms(spec, start);
  using session = { ...openSession(spec, data, start.graph, hold.control, callers), beginning };
  for (const method of [spec.splitting.method, ...spec.splitting.alongside])
    checkGrowth(spec, start.graph, session.index(method).images);
  return await withOutput(spec, 'grow', { data: data.note, hold }, async () => {
    if (seedFrom !== undefined && (await adoptStage(spec, seedFrom)))
      note(control, 0, 'checkpoint', `stage 0 is that of ${seedFrom}`);
    const position = await resume(spec, start, hold.control);
    const last = await growAll(session, position, onStage);
    const stages = await readStages(spec.output, last);
    await writeSummary(spec.output, summaryOf(spec, stages));
    const run = { data, start: start.graph, stages };
    const delivered = await deliver(spec, run, hold.control);
    if (delivered.best !== null) await writeSummary(spec.output, summaryOf(spec, stages, { delivered }));
    const rivals = await compareRivals(spec, { ...run, delivered }, hold.control);
    const summary = summaryOf(spec, stages, { delivered, rivals });
    await writeSummary(spec.output, summary);
    await options.writeReport?.(spec.output);
    return summary;
  });
}
