// The `compare` part of an experiment: the rivals trained after the run, as their table has them, and what they are held against.
import { z } from 'zod';
import { row } from '../../graph/fields.js';
import { isRecord } from '../../machine/files/json.js';
import { RIVALS, type RivalMethod } from '../../rivals/table.js';
import { GIVEN, never } from './conditions.js';

const TARGETS = {
  at: z
    .enum(['last', 'stages'])
    .optional()
    .describe('which grown networks set the MACs: `last` (so without `targets`), or `stages` from 1 on'),
  targets: z
    .array(z.int().min(1))
    .min(1)
    .optional()
    .describe('MACs, instead of `at`; trained for `compute`, without it for the epochs of one stage'),
};

const SHARES = {
  equal: z
    .enum(['compute', 'epochs'])
    .default('compute')
    .describe(
      '`compute`: each target has the multiply-adds that the run spent up to it, for all trainings; `epochs`: its epochs; `retrain` has its own',
    ),
  compute: z.number().positive().optional().describe("multiply-adds of each target, instead of the run's"),
  learningRate: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .describe("rate of all its trainings; null: the run's"),
};

function entry<M extends RivalMethod>(method: M) {
  return z.strictObject({
    method: z.literal(method).describe('how the rival is made'),
    ...TARGETS,
    ...SHARES,
    ...(RIVALS[method].options as (typeof RIVALS)[M]['options']),
  });
}

type Entry = { readonly [M in RivalMethod]: ReturnType<typeof entry<M>> }[RivalMethod];

const METHODS = Object.keys(RIVALS) as RivalMethod[];

/** Methods that train the grown architectures themselves. */
const GROWN_ONLY = METHODS.filter((method) => RIVALS[method].needsGrown === true);

const ENTRY = z
  .discriminatedUnion(
    'method',
    METHODS.map((method) => entry(method)) as unknown as readonly [Entry, ...Entry[]],
  )
  .refine(({ at, targets }) => at === undefined || targets === undefined, {
    path: ['targets'],
    message: 'expected either at or targets',
  })
  .refine(({ method, targets }) => targets === undefined || !GROWN_ONLY.includes(method), {
    path: ['targets'],
    message: 'expected only with methods that need no grown network',
  })
  .refine(({ equal, compute }) => equal === 'compute' || compute === undefined, {
    path: ['compute'],
    message: 'expected only with equal compute: at equal epochs it decides nothing',
  })
  .refine((one) => !('base' in one) || one.base === 'widest' || one.baseMultiplier === undefined, {
    path: ['baseMultiplier'],
    message: 'expected only with base widest: a grown base has the widths it was grown to',
  })
  .meta({
    allOf: [
      never({ at: GIVEN, targets: GIVEN }),
      never({ method: { enum: GROWN_ONLY }, targets: GIVEN }),
      never({ equal: { const: 'epochs' }, compute: GIVEN }),
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

/** The options of an entry: what decides a rival besides its method and its target. */
export function optionsOf({ method: _method, at: _at, targets: _targets, ...options }: CompareEntry) {
  return options;
}

type Json = Readonly<Record<string, unknown>>;

/** An entry with the defaults that depend on its other members. */
function filled(given: Json): Json {
  const { baseMultiplier } = row(RIVALS, String(given.method)) ?? {};
  const isWidest = given.base === undefined || given.base === 'widest';
  return {
    ...('at' in given || 'targets' in given ? {} : { at: 'last' }),
    ...(isWidest && baseMultiplier !== undefined && { baseMultiplier }),
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
