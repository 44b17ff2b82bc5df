// What rivals are held against: targets in MACs, the grown networks, and the images and recipe that all share.
import type { Dataset } from '../data/dataset.js';
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import type { RunControl } from '../native/events.js';
import type { Spec } from '../run/spec/spec.js';
import type { Kept } from '../run/store/summary.js';

/** One network that a rival is to match. */
export interface Target {
  /** Splitting stage of the grown network; null where the target is a number alone. */
  readonly stage: number | null;
  readonly macs: number;
  /** Epochs that the grown network has behind it, those of all stages before included. */
  readonly epochs: number;
}

export interface Contest {
  readonly spec: Spec;
  readonly data: Dataset;
  /** The seed network's graph. */
  readonly start: Graph;
  /** Stages of the run, in order; none where nothing was grown. */
  readonly grown: readonly Kept[];
  /** At least one, in order of MACs. */
  readonly targets: readonly Target[];
  readonly control: RunControl;
}

/** The target of most MACs. */
export function largestTarget({ targets }: Contest): Target {
  const last = targets.at(-1);
  if (last === undefined) throw new SplitgrowError('E_INTERNAL', 'compare: expected a target, got none');
  return last;
}

/** A grown network: of that stage, or the last one. @throws E_EXPERIMENT where nothing was grown */
export function grownNetwork({ spec, grown }: Contest, method: string, stage: number | null): Kept {
  const found = stage === null ? grown.at(-1) : grown[stage];
  if (found !== undefined) return found;
  throw new SplitgrowError(
    'E_EXPERIMENT',
    `compare: "${method}" needs a grown network, and ${spec.output} holds none; run \`splitgrow grow\` first, or choose another base`,
  );
}

/** Epochs behind a stage's network: those of the stages up to that one, and its own finishing. */
export function grownEpochs({ grown }: Contest, stage: number): number {
  const finish = grown[stage]?.record.finish?.length ?? 0;
  return grown.slice(0, stage + 1).reduce((sum, { record }) => sum + record.epochs.length, finish);
}

/** Seconds from the seed network to the architecture of a stage: fits and splittings of all stages before, finishing left out. */
export function growthSeconds({ grown }: Contest, stage: number): number {
  return grown.slice(0, stage).reduce((sum, { record: { seconds, finish = [] } }) => {
    const aside = finish.reduce((total, epoch) => total + epoch.seconds, 0);
    return sum + seconds.fit - aside + seconds.indices + seconds.select + seconds.grow;
  }, 0);
}
