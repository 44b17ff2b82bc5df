// The experiment file: every field with its meaning and its one default, and the types of a checked experiment.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SplitgrowError } from '../errors.js';
import { explain } from './explain.js';
import { applyOverrides } from './overrides.js';
import { DATA_FILE, DATA_NAMED } from './spec-data.js';
import { DIRECTORY, PRESET } from './spec-network.js';

const share = z.number().min(0).lt(1);
const count = z.int().min(1);

const OPTIMIZER = z
  .strictObject({
    kind: z.literal('sgd').default('sgd'),
    learningRate: z.number().min(0).default(0.1),
    momentum: share.default(0.9),
    nesterov: z.boolean().default(false),
    weightDecay: z.number().min(0).default(1e-4),
    /** Which parameters decay: all of them, or the weights of convolutions and linear layers only. */
    decay: z.enum(['all', 'weights']).default('all'),
  })
  .refine((value) => !value.nesterov || value.momentum > 0, {
    path: ['nesterov'],
    message: 'needs a momentum above 0',
  });

const SCHEDULE = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({
    kind: z.literal('steps'),
    /** Epochs at which the rate is multiplied by `factor`. Section 5.2 of the paper: 80 and 120 of 160. */
    at: z.array(z.number().min(0)).default([80, 120]),
    factor: z.number().positive().default(0.1),
  }),
  z.strictObject({
    kind: z.literal('cosine'),
    /** Epochs in which the rate rises to its full height. */
    warmup: z.number().min(0).default(0),
  }),
]);

const EPOCHS = z.int().min(0);
/** True where every stage that has epochs has more than it takes to warm up. */
const leavesWarmup = (epochs: number | number[], warmup: number): boolean =>
  [epochs].flat().every((one) => one === 0 || warmup < one);

const FIT = z
  .strictObject({
    /** Epochs a stage. A list gives every stage its own; its last number holds for all that follow. */
    epochs: z.union([EPOCHS, z.array(EPOCHS).min(1)]).default(160),
    batch: count.default(256),
    labelSmoothing: share.default(0),
    optimizer: OPTIMIZER.prefault({}),
    schedule: SCHEDULE.prefault({ kind: 'steps' }),
    syncBatchNorm: z.boolean().default(false),
    /** Images a minibatch when the network is evaluated. */
    evaluationBatch: count.default(256),
  })
  .refine(({ epochs, schedule }) => schedule.kind !== 'cosine' || leavesWarmup(epochs, schedule.warmup), {
    path: ['schedule', 'warmup'],
    message: 'expected fewer epochs of warm-up than fit.epochs',
  });

const RMSPROP = z.strictObject({
  /** PyTorch's constants, the paper's; the authors' code has alpha 0.9, momentum 0.9 and decay 0.2 every 2 epochs. */
  alpha: share.default(0.99),
  momentum: share.default(0),
  epsilon: z.number().positive().default(1e-8),
  decayFactor: z.number().positive().default(1),
  decayEvery: count.default(2),
});

const LINE_SEARCH = z.strictObject({
  /** The epsilons tried. */
  grid: z.array(z.number().positive()).min(1).default([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
  /** Training images that the loss is measured on. */
  images: count.default(1024),
});

const COST = z.enum(['macs', 'params']);
const SPLITTING = z.strictObject({
  strategy: z.enum(['energy-aware', 'vanilla', 'random']).default('energy-aware'),
  method: z.enum(['exact', 'rayleigh', 'auto']).default('rayleigh'),
  /** Rayleigh epochs, minibatch and rate. Section 4 of the paper. */
  epochs: count.default(10),
  batch: count.default(64),
  learningRate: z.number().positive().default(1e-3),
  rmsprop: RMSPROP.prefault({}),
  /** Step of the off-springs along the splitting direction. */
  epsilon: z.union([z.number().min(0), z.literal('line-search')]).default(0.01),
  lineSearch: LINE_SEARCH.prefault({}),
  /** Every budget may grow by this share a stage. */
  growthRatio: z.number().positive().default(0.5),
  /** MACs are limited whatever the cost. */
  cost: z.union([COST, z.array(COST).min(1)]).default('macs'),
  /** What becomes of the momentum of split layers. */
  optimizerState: z.enum(['reset', 'keep']).default('reset'),
  reluBeta: z.number().positive().default(3),
  identityCurvature: z.number().default(0),
  /** Training images that the indices are taken over; null: all. */
  images: count.nullable().default(null),
  /** Bytes that the exact method may take. */
  memoryLimit: count.default(2 ** 30),
});

const STOP = z.strictObject({
  /** Splitting stages: a run of n leaves stage-0 to stage-n. */
  stages: z.int().min(0).optional(),
  /** No network ever has more MACs. */
  macs: count.optional(),
});

const REST = {
  name: z.string().min(1),
  fit: FIT.prefault({}),
  splitting: SPLITTING.prefault({}),
  stop: STOP.prefault({}),
  /** Rivals trained after the run, with its recipe and total epochs. */
  compare: z.array(z.enum(['width-multiplier'])).default([]),
  seed: z.int().min(0).default(0),
  output: z.string().min(1).optional(),
  device: z.enum(['cpu', 'cuda']).default('cpu'),
  /** Threads of LibTorch; null: as many as it chooses. */
  threads: count.nullable().default(null),
};

const NETWORKS = { preset: PRESET, directory: DIRECTORY };
const DATASETS = { name: DATA_NAMED, file: DATA_FILE };

export type NetworkSpec = z.output<typeof PRESET> | z.output<typeof DIRECTORY>;
export type DataSpec = z.output<typeof DATA_NAMED> | z.output<typeof DATA_FILE>;
/** The `data` part as it is written, defaults left out. */
export type DataInput = z.input<typeof DATA_NAMED> | z.input<typeof DATA_FILE>;
export type FitSpec = z.output<typeof FIT>;
export type SplittingSpec = z.output<typeof SPLITTING>;
export type StopSpec = z.output<typeof STOP>;

/** An experiment, checked and with every default filled in. */
export interface Spec {
  readonly name: string;
  readonly network: NetworkSpec;
  readonly data: DataSpec;
  readonly fit: FitSpec;
  readonly splitting: SplittingSpec;
  readonly stop: StopSpec;
  readonly compare: readonly 'width-multiplier'[];
  readonly seed: number;
  readonly output: string;
  readonly device: 'cpu' | 'cuda';
  readonly threads: number | null;
}

type Json = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The variant of a field whose value has the variant's own key. */
function variant<A, B>(value: unknown, key: string, given: A, otherwise: B): A | B {
  return isRecord(value) && key in value ? given : otherwise;
}

/** `shuffle` may stand at the top or in `fit` as well; it is kept in `data`. */
function gatherShuffle(json: Json): Json {
  const fit = isRecord(json.fit) ? json.fit : {};
  const data = isRecord(json.data) ? json.data : {};
  const given = [json, fit, data].filter((place) => 'shuffle' in place).map((place) => place.shuffle);
  if (given.length === 0 || !isRecord(json.data)) return json;
  if (new Set(given).size > 1) {
    throw new SplitgrowError(
      'E_EXPERIMENT',
      'shuffle: given more than once with different values; keep data.shuffle',
    );
  }
  const { shuffle: _top, ...rest } = json;
  const { shuffle: _fit, ...fitRest } = fit;
  return {
    ...rest,
    ...(isRecord(json.fit) ? { fit: fitRest } : {}),
    data: { ...data, shuffle: given[0] },
  };
}

/** Checks a whole experiment before anything runs. @throws E_EXPERIMENT naming the field and the nearest known one */
export function parseExperiment(json: unknown, overrides: readonly string[] = []): Spec {
  const overridden = applyOverrides(json, overrides);
  const input = isRecord(overridden) ? gatherShuffle(overridden) : overridden;
  const value = isRecord(input) ? input : {};
  const schema = z.strictObject({
    ...REST,
    network: variant(
      value.network,
      'directory',
      NETWORKS.directory,
      NETWORKS.preset,
    ) as z.ZodType<NetworkSpec>,
    data: variant(value.data, 'file', DATASETS.file, DATASETS.name) as z.ZodType<DataSpec>,
  });
  const result = schema.safeParse(input);
  if (!result.success) throw new SplitgrowError('E_EXPERIMENT', explain(schema, input, result.error));
  return { ...result.data, output: result.data.output ?? `runs/${result.data.name}` };
}

/** Checks the `data` part alone. */
export function parseData(json: unknown): DataSpec {
  const schema = variant(json, 'file', DATASETS.file, DATASETS.name) as z.ZodType<DataSpec>;
  const result = schema.safeParse(json);
  if (!result.success)
    throw new SplitgrowError('E_EXPERIMENT', explain(schema, json, result.error, ['data']));
  return result.data;
}

/** Reads and checks an experiment file; `overrides` are `path=value`. */
export async function readExperiment(file: string, overrides: readonly string[] = []): Promise<Spec> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new SplitgrowError('E_FILE', `experiment ${file}: expected a readable file; ${reasonOf(cause)}`, {
      cause,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SplitgrowError('E_EXPERIMENT', `experiment ${file}: expected JSON; ${reasonOf(cause)}`, {
      cause,
    });
  }
  return parseExperiment(json, overrides);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
