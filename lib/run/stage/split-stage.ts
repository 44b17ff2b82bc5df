// Between two stages: splitting indices, the energy-aware choice, and growth, with the record that explains them.

import { refuseDisagreement } from '../../distributed/agree.js';
import { SplitgrowError } from '../../errors.js';
import { channelGroups } from '../../graph/channels.js';
import { type Cost, costOfGraph, macs } from '../../graph/cost.js';
import { row } from '../../graph/fields.js';
import type { Graph } from '../../graph/ir.js';
import { note } from '../../native/control.js';
import { scope } from '../../native/scope.js';
import type { CertificateRecord } from '../../split/choose/certificate.js';
import { divided, type Insertion, type Room } from '../../split/choose/insertion.js';
import { type ChooseOptions, choose, planOf } from '../../split/choose/strategy.js';
import { directionsOf } from '../../split/step/gradmax.js';
import { decimal, integer, significant } from '../../statistics/format.js';
import type { Network } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import { callerCosts, knownCost } from '../spec/extensions.js';
import { growthRatioOf } from '../spec/splitting.js';
import type { Position } from '../store/checkpoint.js';
import type { EndReason, SplitRecord } from '../store/records.js';
import { snapshotWriterOf } from '../store/snapshot-writer.js';
import { descentText, histogramOf, insertionRecord } from '../store/split-record.js';
import { searchCompute, stepCompute } from './compute.js';
import { type Chosen, growNetwork } from './grow-stage.js';
import { otherMethods } from './other-methods.js';
import type { Session } from './session.js';
import { type KeptStage, secondsBefore, stageIndices } from './stage-indices.js';

/** Costs that may grow by the growth ratio; MACs always come first. */
function costsOf({ spec, callers }: Session): readonly Cost[] {
  const names = new Set(['macs', ...[spec.splitting.cost].flat()]);
  return [...names].map((name) => knownCost(callers, name));
}

type Options = ChooseOptions & { readonly costs: readonly Cost[] };

/** How every choice of the stage is made, whatever the indices. */
function chooseOptionsOf(session: Session, stage: number): Options {
  const { spec, callers } = session;
  const { splitting, stop, seed } = spec;
  const { strategy, costEstimate, budgets, layerCap, hardLimit, rounding } = splitting;
  return {
    ...{ strategy, costEstimate, budgets, layerCap, hardLimit, rounding },
    growthRatio: growthRatioOf(splitting, stage),
    costs: costsOf(session),
    strategies: callers.strategies,
    caps: { ...stop.costs, ...(stop.macs !== undefined && { macs: stop.macs }) },
    capped: callerCosts(spec, callers),
    seed: seedOf('select', seed, stage),
  };
}

/** Why nothing fits: the first absolute limit that is nearer than the growth ratio's, MACs first; else the growth ratio. */
function fullOf({ graph }: Network, { caps = {}, capped = [], costs, growthRatio }: Options): EndReason {
  const known = [...costs, ...capped];
  const isNear = ([name, cap]: readonly [string, number]): boolean => {
    const found = known.find((cost) => cost.name === name) ?? name;
    return cap < (1 + growthRatio) * costOfGraph(graph, found);
  };
  const near = Object.entries(caps).filter(isNear);
  if (near.some(([name]) => name === 'macs')) return 'macs';
  return near.length > 0 ? 'cost' : 'no-fit';
}

/** The split of a stage, or the reason why nothing was split. */
export type SplitOutcome =
  | {
      readonly network: Network;
      readonly split: SplitRecord;
      readonly seconds: { readonly indices: number; readonly select: number; readonly grow: number };
      /** Multiply-adds of indices and step. */
      readonly search: number;
    }
  | { readonly ended: EndReason; readonly search: number };

const clock = (): number => performance.now() / 1000;

/** Indices, choice and growth of one stage from where it stands; the given network stays as it is. */
export async function splitStage(session: Session, position: Position): Promise<SplitOutcome> {
  const { stage } = position.state;
  const snapshots = snapshotWriterOf(session.spec, session.control, stage);
  try {
    return await splitKept(session, { ...position, snapshots });
  } finally {
    await snapshots.drain();
  }
}

async function splitKept(session: Session, kept: KeptStage): Promise<SplitOutcome> {
  const { spec, control } = session;
  const { splitting } = spec;
  const { network } = kept;
  const { stage } = kept.state;
  const started = clock() - secondsBefore(kept.state);
  using measured = await stageIndices(session, network, stage, splitting.method, kept);
  const { indices, groups } = measured;
  const indexed = clock();
  const descent = descentText(indices.chains);
  if (descent !== '') note(control, stage, 'indices', descent);
  const options = chooseOptionsOf(session, stage);
  const choice = await choose(network.graph, groups, options);
  await refuseDisagreement(`the neurons to split in stage ${stage}`, choice.plan, 'E_DISTRIBUTED');
  const selected = clock();
  const { images } = session.index(splitting.method);
  const search = searchCompute(spec, network, { chains: indices.chains, images });
  if (choice.certificate.eligible === 0) return { ended: 'no-negative-index', search };
  if (choice.picks.length === 0) return { ended: fullOf(network, options), search };
  const alongside = await otherMethods(session, network, stage, { groups, picks: choice.picks, options });
  const compared = clock();
  const parts = divided(choice.picks, splitting.insertion, roomOf(network.graph, splitting.insertion));
  const plan = parts.inserted.size === 0 ? choice.plan : planOf(network.graph, parts.split);
  const chosen = { plan, inserted: parts.inserted, indices };
  const grown = await growChosen(session, measured.network, stage, chosen, choice.certificate);
  using made = scope();
  made.use(grown.network);
  const split: SplitRecord = {
    strategy: splitting.strategy,
    method: splitting.method,
    chains: indices.chains,
    histogram: histogramOf([...groups.values()].flatMap((values) => [...values])),
    picks: choice.picks,
    certificate: choice.certificate,
    step: grown.step,
    neurons: plan.splits,
    chosen: choice.picks.length,
    ...(grown.inserted !== null && {
      inserted: insertionRecord(network.graph, splitting.insertion.kind, parts, grown.inserted.functionError),
    }),
    ...(alongside.length > 0 && { alongside }),
  };
  note(
    control,
    stage,
    'grow',
    `${parts.split.length} neurons split; MACs ${integer(macs(network.graph))} to ${integer(macs(grown.network.graph))}; ` +
      `epsilon ${significant(grown.step.epsilon)}, loss ${decimal(grown.step.lossBefore, 4)} to ${decimal(grown.step.lossAfter, 4)}`,
  );
  const graphs = { before: network.graph, split: grown.split, after: grown.network.graph };
  const stepping = stepCompute(spec, graphs, { step: grown.step, trainImages: session.trainImages });
  made.move();
  return {
    network: grown.network,
    split,
    search: search + stepping + (grown.inserted?.compute ?? 0),
    seconds: { indices: indexed - started, select: selected - indexed, grow: clock() - compared },
  };
}

/** Pairs have room in any group; GradMax where a direct map stands beside the path. */
function roomOf(graph: Graph, { kind }: Insertion): Room {
  const groups = new Map(channelGroups(graph).map((group) => [group.id, group] as const));
  return (id) => {
    const group = groups.get(id);
    const isFree = kind !== 'gradmax' || group === undefined;
    return isFree ? { most: Number.POSITIVE_INFINITY, because: '' } : directionsOf(graph, group);
  };
}

async function growChosen(
  session: Session,
  network: Network,
  stage: number,
  chosen: Chosen,
  certificate: CertificateRecord,
) {
  const grown = await growNetwork(session, network, stage, chosen);
  try {
    refuseOverrun(session, certificate, grown.network);
    return grown;
  } catch (error) {
    grown.network[Symbol.dispose]();
    throw error;
  }
}

/** Every budget is hard, unless the experiment says otherwise. Never above stop.macs and stop.costs. */
function refuseOverrun({ spec, callers }: Session, { budgets }: CertificateRecord, after: Network): void {
  const caps: Readonly<Record<string, number | undefined>> = { ...spec.stop.costs, macs: spec.stop.macs };
  for (const { cost, limit } of budgets) {
    const most = spec.splitting.hardLimit ? limit : (row(caps, cost) ?? Number.POSITIVE_INFINITY);
    const reached = costOfGraph(after.graph, knownCost(callers, cost));
    if (reached <= most) continue;
    throw Object.hasOwn(callers.costs, cost)
      ? new SplitgrowError(
          'E_CALLBACK',
          `cost "${cost}": expected at most ${most}, which it gave for the grown network before, got ${reached}`,
        )
      : new SplitgrowError('E_INTERNAL', `growth: expected at most ${most} ${cost}, got ${reached}`);
  }
}
