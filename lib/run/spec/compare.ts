// The `compare` part of an experiment: the rivals trained after the run, and their options.

import { z } from 'zod';
import { isRecord } from '../../machine/files/json.js';
import { GIVEN, never } from './conditions.js';

const epochs = (means: string) => z.int().min(0).nullable().default(null).describe(means);

/** What a rival starts from that makes a larger network smaller. */
const BASE = {
  base: z
    .enum(['widest', 'grown'])
    .default('widest')
    .describe(
      'what is made smaller: `widest` (the seed network, wider) or `grown` (the last network of the run)',
    ),
};

const MULTIPLIED = {
  ...BASE,
  // `namedRivals` fills it in.
  baseMultiplier: z
    .number()
    .min(1)
    .optional()
    .describe(
      'of `widest`: its MACs over the largest target; left out: 1 for `resolution-multiplier`, else 2',
    ),
};

const PRETRAINED = {
  ...MULTIPLIED,
  pretrainEpochs: epochs(
    'epochs of the base; null: the total epochs of the largest target (none for `prune-l1` of a grown network)',
  ),
};

const PRUNED = {
  ...PRETRAINED,
  epochs: epochs('epochs of fine-tuning; null: the total epochs of the target'),
};

const MORPHNET = {
  ...PRETRAINED,
  // Section 5.2 of the paper.
  lambdas: z
    .array(z.number().positive())
    .min(1)
    .default([1e-8, 5e-8, 1e-9, 5e-9, 1e-10])
    .describe('strengths of the regulariser, a training each'),
  threshold: z
    .number()
    .positive()
    .default(1e-2)
    .describe('a channel lives when its batch-norm scale is above'),
};

/** Options of every method, besides the targets. */
const OPTIONS = {
  'width-multiplier': {},
  'resolution-multiplier': MULTIPLIED,
  'prune-l1': PRUNED,
  'prune-bn': {
    ...PRUNED,
    strength: z
      .number()
      .min(0)
      .default(1e-4)
      .describe('strength of the sparsity penalty on batch-norm scales (Liu et al. 2017)'),
  },
  morphnet: MORPHNET,
  'morphnet-authors': MORPHNET,
  scratch: {},
  retrain: {
    epochs: epochs(
      'epochs of the full schedule; null: the total epochs of the whole run, whatever the stage',
    ),
  },
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
  at: z
    .enum(['last', 'stages'])
    .optional()
    .describe('which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on'),
  targets: z
    .array(z.int().min(1))
    .min(1)
    .optional()
    .describe('MACs, instead of `at`; trained for the epochs of one stage'),
};

function entry<M extends RivalMethod>(method: M) {
  return z.strictObject({
    method: z.literal(method).describe('how the rival is made'),
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
  })
  .meta({
    allOf: [
      never({ at: GIVEN, targets: GIVEN }),
      never({ method: { enum: [...GROWN_ONLY] }, targets: GIVEN }),
      never({ base: { const: 'grown' }, baseMultiplier: GIVEN }),
    ],
  });

/** Rivals trained after the run, by its recipe. */
export const COMPARE = z
  .array(ENTRY)
  .default([])
  .describe('rivals trained after the run: names, or objects with these members');

/** The `compare` part of an experiment, checked, with every default; its fields are those of the reference. */
export interface CompareSpec extends ReadonlyArray<CompareEntry> {}
export type CompareEntry = z.output<typeof ENTRY>;
/** One method's entry. */
export type EntryOf<M extends RivalMethod> = Extract<CompareEntry, { readonly method: M }>;

type Json = Readonly<Record<string, unknown>>;

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
