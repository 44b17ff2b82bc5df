// What a rival is given: targets in MACs, the grown networks, and a way to train a network by the recipe of the run.
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import type { StageSeconds } from '../native/events.js';
import type { Device, TensorMap } from '../native/face.js';
import type { ComputeRecord } from '../train/compute.js';
import { createNetwork, type Network } from '../train/network.js';
import { type Purpose, seedOf } from '../train/seeds.js';

/** One network that a rival is to match. */
export interface Target {
  /** Splitting stage of the grown network; null where the target is a number alone. */
  readonly stage: number | null;
  readonly macs: number;
  /** Epochs that the grown network has behind it, those of all earlier stages included. */
  readonly epochs: number;
  /** Multiply-adds that the rival has for all of its trainings; null: it has the epochs. */
  readonly compute: number | null;
}

/** A stage of the grown run: what rivals read of its stage.json, and its network directory. */
export interface GrownNetwork {
  readonly record: {
    readonly stage: number;
    readonly epochs: readonly unknown[];
    readonly finish?: readonly { readonly seconds: number }[];
    readonly seconds: StageSeconds;
    readonly compute?: ComputeRecord;
  };
  readonly directory: string;
}

/** One training that a rival asks for. */
export interface Job {
  /** What people read in the folder's name: "prune-bn-557056". */
  readonly name: string;
  /** The same in words, for notes and for the name of its experiment. */
  readonly title: string;
  readonly graph: Graph;
  /** Stage whose recipe is used, and the epochs that this recipe is stretched to. */
  readonly stage: number;
  readonly epochs: number;
  /** Whatever decides the weights besides graph, recipe, data and seed. */
  readonly key: unknown;
  /** Called only where there is something left to train. */
  readonly start: () => Network | Promise<Network>;
  /** Penalties of sparsity training, from the weights that an epoch starts with. */
  readonly penalties?: (graph: Graph, weights: TensorMap) => ReadonlyMap<string, Float32Array>;
  /** Rate of the training; null or absent: the run's. */
  readonly learningRate?: number | null;
  /** Pixels a side of the images, where they are to be smaller than the data's. */
  readonly resolution?: number;
}

/** A finished training. */
export interface Trained {
  readonly record: {
    readonly macs: number;
    readonly params: number;
    readonly flops2x?: number;
    readonly epochs: readonly unknown[];
    readonly evaluation: { readonly top1: number; readonly top5: number; readonly loss: number };
    readonly validation?: { readonly top1: number; readonly loss: number };
    readonly widths: Readonly<Record<string, number>>;
    readonly seconds: StageSeconds;
  };
  readonly directory: string;
  /** Multiply-adds of this training. */
  readonly compute: number;
  /** Name of the folder: the key of a training that starts from this one. */
  readonly id: string;
}

/** What all rivals of a run share. */
export interface Field {
  /** The seed network's graph. */
  readonly start: Graph;
  /** Stages of the run, in order; none where nothing was grown. */
  readonly grown: readonly GrownNetwork[];
  /** Folder of the run, for messages. */
  readonly output: string;
  readonly seed: number;
  readonly device: Device;
  /** Multiply-adds of an epoch of a network's training. */
  readonly epochCompute: (graph: Graph) => number;
  /** Trains a network by the recipe of the run, in a folder named by the job. Equal jobs are one training. */
  readonly train: (job: Job) => Promise<Trained>;
}

/** One method against its targets. */
export interface Contest extends Field {
  /** Name of the method in the table, and for people. */
  readonly method: string;
  readonly label: string;
  /** At least one, in order of MACs; one alone where each has so many multiply-adds. */
  readonly targets: readonly Target[];
  /** All targets of the entry: seconds of growth are shared among them. */
  readonly all: readonly Target[];
}

/** What a rival hands back for one target. */
export interface Outcome {
  readonly target: Target;
  readonly trained: Trained;
  readonly multiplier?: number;
  readonly resolution?: number;
  readonly lambda?: number;
  /** Epochs of the networks that this one was made from; 0 where there are none. */
  readonly parentEpochs?: number;
  /**
   * Multiply-adds of all that this network took before its own training, whole where targets share it; 0 where there was
   * nothing, null where records of older versions do not tell.
   */
  readonly parentCompute?: number | null;
  /** This target's share of the seconds spent before its own training. */
  readonly searchSeconds?: number;
}

/** The outcomes of all targets, one after the other. */
export async function eachTarget(
  { targets }: Contest,
  make: (target: Target) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const target of targets) outcomes.push(await make(target));
  return outcomes;
}

/** Epochs of a network within so many multiply-adds: whole ones, at least one. */
export function epochsWithin({ epochCompute }: Field, graph: Graph, compute: number): number {
  return Math.max(1, Math.floor(compute / epochCompute(graph)));
}

/** Epochs of a network that is trained from scratch for a target. */
export function epochsFor(field: Field, { compute, epochs }: Target, graph: Graph): number {
  return compute === null ? epochs : epochsWithin(field, graph, compute);
}

/** The target of most MACs. */
export function largestTarget({ targets }: Contest): Target {
  const last = targets.at(-1);
  if (last === undefined) throw new SplitgrowError('E_INTERNAL', 'compare: expected a target, got none');
  return last;
}

/** The grown network of a stage, or with null the last one. @throws E_EXPERIMENT where nothing was grown */
export function grownNetwork({ output, grown, method }: Contest, stage: number | null): GrownNetwork {
  const found = stage === null ? grown.at(-1) : grown[stage];
  if (found !== undefined) return found;
  throw new SplitgrowError(
    'E_EXPERIMENT',
    `compare: "${method}" needs a grown network, and ${output} holds none; run \`splitgrow grow\` first, or choose another base`,
  );
}

/** Epochs behind a stage's network: those of the stages up to that one, and its own finishing. */
export function grownEpochs(grown: readonly GrownNetwork[], stage: number): number {
  const finish = grown[stage]?.record.finish?.length ?? 0;
  return grown.slice(0, stage + 1).reduce((sum, { record }) => sum + record.epochs.length, finish);
}

/** Seconds from the seed network to the architecture of a stage: fits and splittings of all stages before, without finishing. */
export function growthSeconds({ grown }: Contest, stage: number): number {
  return grown.slice(0, stage).reduce((sum, { record: { seconds, finish = [] } }) => {
    const finishing = finish.reduce((total, epoch) => total + epoch.seconds, 0);
    return sum + seconds.fit - finishing + seconds.indices + seconds.select + seconds.grow;
  }, 0);
}

/** New weights, from the experiment's seed. */
export function freshNetwork(
  { seed, device }: Contest,
  graph: Graph,
  purpose: Extract<Purpose, 'weights' | 'rival'> = 'weights',
): Network {
  return createNetwork(graph, { seed: seedOf(purpose, seed), device });
}
