// The `compare` part of an experiment: the rivals trained after the run, and their options.
import { z } from 'zod';

const epochs = z.int().min(0).nullable().default(null);

/** What a rival starts from that makes a larger network smaller. */
const BASE = {
  /** `widest`: a multiple of the seed network's widths; `grown`: the run's last network, with its weights. */
  base: z.enum(['widest', 'grown']).default('widest'),
};

/** MACs of the widest base over those of the largest target; `namedRivals` fills it in. */
const MULTIPLIED = { ...BASE, baseMultiplier: z.number().min(1).optional() };

const PRETRAINED = {
  ...MULTIPLIED,
  /** Epochs of the base; null: the total epochs of the largest target (none for Pruning (L1) of a grown network, which is trained). */
  pretrainEpochs: epochs,
};

const PRUNED = {
  ...PRETRAINED,
  /** Epochs of fine-tuning; null: the total epochs of the target. */
  epochs,
};

const MORPHNET = {
  ...PRETRAINED,
  /** Strengths of the regulariser, a training each. Section 5.2 of the paper. */
  lambdas: z.array(z.number().positive()).min(1).default([1e-8, 5e-8, 1e-9, 5e-9, 1e-10]),
  /** A channel is alive where its batch-norm scale is above. */
  threshold: z.number().positive().default(1e-2),
};

/** Options of every method, besides the targets. */
const OPTIONS = {
  'width-multiplier': {},
  /** The base has the MACs of the largest target times `baseMultiplier` at full resolution. */
  'resolution-multiplier': MULTIPLIED,
  'prune-l1': PRUNED,
  /** `strength`: of the sparsity penalty on batch-norm scales (Liu et al. 2017). */
  'prune-bn': { ...PRUNED, strength: z.number().min(0).default(1e-4) },
  morphnet: MORPHNET,
  'morphnet-authors': MORPHNET,
  scratch: {},
  /** `epochs`: the full schedule; null: the total epochs of the whole run, whatever the stage. */
  retrain: { epochs },
} as const;

export type RivalMethod = keyof typeof OPTIONS;

/** `baseMultiplier` of a widest base where it is left out; a grown one has none. */
const BASE_MULTIPLIERS: Readonly<Record<string, number>> = {
  'resolution-multiplier': 1,
  'prune-l1': 2,
  'prune-bn': 2,
  morphnet: 2,
  'morphnet-authors': 2,
};

/** Methods that train the grown architectures themselves. */
const GROWN_ONLY: ReadonlySet<RivalMethod> = new Set(['scratch', 'retrain']);

const TARGETS = {
  /** Against which grown networks: the last one, or one rival for every stage from 1 on. */
  at: z.enum(['last', 'stages']).optional(),
  /** MACs, instead of `at`: rivals of no grown network, trained for the epochs of one stage. */
  targets: z.array(z.int().min(1)).min(1).optional(),
};

function entry<M extends RivalMethod>(method: M) {
  return z.strictObject({
    method: z.literal(method),
    ...TARGETS,
    ...(OPTIONS[method] as (typeof OPTIONS)[M]),
  });
}

const ENTRY = z
  .discriminatedUnion('method', [
    entry('width-multiplier'),
    entry('resolution-multiplier'),
    entry('prune-l1'),
    entry('prune-bn'),
    entry('morphnet'),
    entry('morphnet-authors'),
    entry('scratch'),
    entry('retrain'),
  ])
  .refine(({ at, targets }) => at === undefined || targets === undefined, {
    path: ['targets'],
    message: 'expected either at or targets',
  })
  .refine(({ method, targets }) => targets === undefined || !GROWN_ONLY.has(method), {
    path: ['targets'],
    message: 'expected only with methods that need no grown network',
  })
  .refine((one) => !('base' in one) || one.base === 'widest' || one.baseMultiplier === undefined, {
    path: ['baseMultiplier'],
    message: 'expected only with base widest: a grown base has the widths it was grown to',
  });

/** Rivals trained after the run, by its recipe. */
export const COMPARE = z.array(ENTRY).default([]);

export type CompareSpec = z.output<typeof COMPARE>;
export type CompareEntry = CompareSpec[number];
/** One method's entry. */
export type EntryOf<M extends RivalMethod> = Extract<CompareEntry, { readonly method: M }>;

type Json = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An entry with the defaults that depend on its other members. */
function filled(given: Json): Json {
  const multiplier = BASE_MULTIPLIERS[String(given.method)];
  const isWidest = given.base === undefined || given.base === 'widest';
  return {
    ...('at' in given || 'targets' in given ? {} : { at: 'last' }),
    ...(isWidest && multiplier !== undefined && { baseMultiplier: multiplier }),
    ...given,
  };
}

/** A method's name alone stands for its entry with every default, and an entry without targets is held against the last network. */
export function namedRivals(json: Json): Json {
  if (!Array.isArray(json.compare)) return json;
  const compare = json.compare.map((one: unknown) => {
    const given = typeof one === 'string' ? { method: one } : one;
    return isRecord(given) ? filled(given) : given;
  });
  return { ...json, compare };
}
