// The indices and the choice of other methods on the same stage, for comparison. The run does not use them.
import type { GroupId } from '../../graph/channels.js';
import { type ChooseOptions, choose } from '../../split/choose/strategy.js';
import { overlap, spearman } from '../../statistics/rank.js';
import type { Network } from '../../train/network.js';
import type { OtherMethodRecord } from '../store/split-record.js';
import type { Session } from './session.js';
import { stageIndices } from './stage-indices.js';

/** The indices and the choice that the run uses. */
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
export async function otherMethods(
  session: Session,
  network: Network,
  stage: number,
  main: Main,
): Promise<readonly OtherMethodRecord[]> {
  const records: OtherMethodRecord[] = [];
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
