// The same splitting stage by other methods: their indices and their choice beside those that the run goes on with.
import type { GroupId } from '../../graph/channels.js';
import { scope } from '../../native/scope.js';
import { groupIndices } from '../../split/choose/group-indices.js';
import { type ChooseOptions, choose } from '../../split/choose/strategy.js';
import { computeIndices, type Indices } from '../../split/indices/indices.js';
import { copyOf } from '../../split/step/offspring.js';
import { overlap, spearman } from '../../statistics/rank.js';
import type { Network } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import type { AlongsideRecord } from '../store/records.js';
import type { Session } from './session.js';
import { driftedCopy, type KeptStage, stageIndicesKept } from './stage-indices.js';

type Method = AlongsideRecord['method'];

/** Indices of a stage, and the network whose running statistics they leave: the given one unless they drift. */
export interface StageIndices extends Disposable {
  readonly network: Network;
  readonly indices: Indices;
  readonly groups: ReadonlyMap<GroupId, Float64Array>;
}

/** Indices by `method` over the stage's images; where depthwise batch norms run in training mode, of a copy. With `kept` they are kept on the way. */
export async function stageIndices(
  session: Session,
  network: Network,
  stage: number,
  method: Method,
  kept: KeptStage | null = null,
): Promise<StageIndices> {
  const { spec, control, index, indexImages } = session;
  const { splitting, seed } = spec;
  const drifts = splitting.depthwiseBatchNorm === 'train';
  const copy = drifts ? ((kept && driftedCopy(kept, session)) ?? (await copyOf(network))) : null;
  const used = copy ?? network;
  using made = scope();
  if (copy !== null) made.use(copy);
  const request = { ...splitting, method, images: indexImages, seed: seedOf('indices', seed, stage) };
  const where = { stage, epoch: 0, epochs: 1 };
  const indices = made.use(
    kept === null
      ? await computeIndices(used, index, request, { control, where })
      : await stageIndicesKept(session, kept, used, index, request),
  );
  const layers = new Map(indices.chains.map(({ id, indices: values }) => [id, values] as const));
  const groups = groupIndices(used.graph, layers);
  const { [Symbol.dispose]: dispose } = made.move();
  return { network: used, indices, groups, [Symbol.dispose]: dispose };
}

/** What the run goes on with. */
export interface Main {
  readonly groups: ReadonlyMap<GroupId, Float64Array>;
  readonly picks: readonly { readonly group: string; readonly neuron: number }[];
  readonly options: ChooseOptions;
}

const named = (picks: Main['picks']): ReadonlySet<string> =>
  new Set(picks.map(({ group, neuron }) => `${neuron} ${group}`));
const flat = (groups: Main['groups']): readonly number[] => [...groups.values()].flatMap((list) => [...list]);

/**
 * One record for each method of `splitting.alongside`: on the same network and images, and chosen from by the same
 * options. The run does not go on with any of them.
 */
export async function alongsideRecords(
  session: Session,
  network: Network,
  stage: number,
  main: Main,
): Promise<readonly AlongsideRecord[]> {
  const records: AlongsideRecord[] = [];
  for (const method of session.spec.splitting.alongside) {
    const started = performance.now();
    using other = await stageIndices(session, network, stage, method);
    const seconds = (performance.now() - started) / 1000;
    const { picks } = await choose(network.graph, other.groups, main.options);
    records.push({
      method,
      seconds,
      rankCorrelation: spearman(flat(main.groups), flat(other.groups)),
      overlap: overlap(named(main.picks), named(picks)),
      chosen: picks.length,
    });
  }
  return records;
}
