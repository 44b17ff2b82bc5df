// The `fit` part of an experiment: parametric updates, their optimizer and their schedule.
import { z } from 'zod';
import { having, never, where } from './conditions.js';
import { afterStage0, group, part, weights } from './effects.js';
import { fitFaults } from './fit-rules.js';

const share = z.number().min(0).lt(1);
const count = z.int().min(1);

const OPTIMIZER = part({
  kind: weights(z.literal('sgd').default('sgd').describe('only `sgd`')),
  learningRate: weights(z.number().min(0).default(0.1).describe('full rate'), {
    remedy: 'rates follow from the new one',
  }),
  momentum: weights(share.default(0.9).describe('momentum of SGD; below 1')),
  nesterov: weights(z.boolean().default(false).describe("Nesterov's momentum; needs momentum")),
  weightDecay: weights(z.number().min(0).default(1e-4).describe('L2 decay of parameters')),
  decay: weights(
    z
      .enum(['all', 'weights'])
      .default('all')
      .describe('which parameters decay: `all`, or `weights` of convolutions and linear layers only'),
  ),
})
  .refine((value) => !value.nesterov || value.momentum > 0, {
    path: ['nesterov'],
    message: 'needs a momentum above 0',
  })
  .meta(never({ nesterov: { const: true }, momentum: { const: 0 } }));

const kindOf = <const K extends string>(kind: K) =>
  z
    .literal(kind)
    .describe(
      '`constant`, `steps`, `cosine` or `wsd` (warm-up, full rate, decay); or a list of schedules, one a stage',
    );
const WARMUP = z
  .number()
  .min(0)
  .default(0)
  .describe('of `cosine` and `wsd`: first epochs, in which the rate rises');

const SCHEDULE = z.discriminatedUnion('kind', [
  part({ kind: weights(kindOf('constant')) }),
  part({
    kind: weights(kindOf('steps')),
    // Section 5.2 of the paper: of 160 epochs.
    at: weights(
      z.array(z.number().min(0)).default([80, 120]).describe('of `steps`: epochs, from 0 in each stage'),
    ),
    factor: weights(
      z.number().positive().default(0.1).describe('of `steps`: factor of the rate at each of them'),
    ),
  }),
  part({
    kind: weights(kindOf('cosine')),
    warmup: weights(WARMUP, { remedy: 'rates follow from the new one' }),
    final: weights(share.default(0).describe('of `cosine`: share of the full rate at the end; below 1')),
  }),
  part({
    kind: weights(kindOf('wsd')),
    warmup: weights(WARMUP, { remedy: 'rates follow from the new one' }),
    decay: weights(
      z.number().min(0).default(0).describe('of `wsd`: last epochs, in which the rate falls to 0'),
    ),
  }),
]);

const EPOCHS = z.int().min(0);

const FINISH = part({
  epochs: weights(
    z
      .union([EPOCHS, z.array(EPOCHS).min(1)])
      .default(0)
      .describe(
        'epochs in which a copy of the network is trained on until the rate is 0; may be a list as `fit.epochs`; needs the schedule `constant`',
      ),
    { isPerStage: true },
  ),
  decay: weights(
    z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe('the last of them, in which the rate falls to 0; null: all'),
  ),
  stages: weights(
    z
      .enum(['every', 'last'])
      .default('every')
      .describe('which networks are finished: of `every` stage, or the `last` alone'),
  ),
});

const AVERAGE = part({
  decay: weights(
    share.default(0).describe('decay of the moving average of weights and running statistics; 0: none'),
  ),
  every: weights(count.default(1).describe('minibatches between two updates of the average')),
  warmup: weights(z.number().min(0).default(0).describe('first epochs of a stage without averaging')),
});

/** Members of the schedule that finishing needs. */
const CONSTANT = { kind: { const: 'constant' } };

export const FIT = part({
  epochs: weights(
    z
      .union([EPOCHS, z.array(EPOCHS).min(1)])
      .default(160)
      .describe('epochs of training a stage; a list gives one number a stage, the last for all later ones'),
    { isPerStage: true },
  ),
  batch: weights(count.default(256).describe('minibatch, over all ranks')),
  remainder: weights(
    z
      .enum(['keep', 'join', 'drop'])
      .optional()
      .describe(
        'images after the last whole minibatch: `keep` (a smaller one), `join` (to the one before) or `drop`; left out: `keep`, but `join` when batch norm cannot take the one image',
      ),
  ),
  microBatch: weights(
    count
      .nullable()
      .default(null)
      .describe('images that a rank works on at a time; gradients add up; null: all'),
    { remedy: 'minibatches are cut into other pieces' },
  ),
  precision: weights(
    z
      .enum(['float32', 'bfloat16', 'auto'])
      .default('float32')
      .describe('number type of products: `float32`, `bfloat16`, or `auto` (bfloat16 where that is fast)'),
    { remedy: 'layers multiply in it' },
  ),
  labelSmoothing: weights(
    share.default(0).describe('share of a label that is spread over all classes; below 1'),
  ),
  gradientClip: weights(
    z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('largest L2 norm of the whole gradient; null: any'),
    { remedy: 'gradients are clipped as it says' },
  ),
  optimizer: group(OPTIMIZER.prefault({}).describe('stochastic gradient descent and its rate')),
  rateByAge: afterStage0(
    z
      .boolean()
      .default(false)
      .describe(
        'weights born at a later stage train at the rate times their norm at birth over that of the first',
      ),
  ),
  schedule: group(
    z
      .union([SCHEDULE, z.array(SCHEDULE).min(1)])
      .prefault({ kind: 'steps' })
      .describe('how the rate changes within a stage; a list gives one a stage, the last for all later ones'),
  ),
  finish: group(
    FINISH.prefault({}).describe(
      "a copy of a stage's network is trained on until the rate is 0: that is the stage's network; growth goes on from the other",
    ),
  ),
  average: group(
    AVERAGE.prefault({}).describe(
      "exponential moving average of weights and running statistics: a stage's network is the average, growth goes on from the network itself",
    ),
  ),
  syncBatchNorm: weights(z.boolean().default(false).describe('batch statistics over all ranks')),
  evaluationBatch: weights(count.default(256).describe('minibatch of evaluations'), {
    remedy: 'evaluations round otherwise',
  }),
})
  .superRefine((fit, context) => {
    for (const { path, message } of fitFaults(fit))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .meta(
    where(
      { finish: having({ epochs: { type: 'number', exclusiveMinimum: 0 } }) },
      // Left out it is `steps`, but for recipes that have it constant.
      { properties: { schedule: { ...having(CONSTANT), items: having(CONSTANT) } } },
    ),
  );

/** The `fit` part of an experiment, checked, with every default; its fields are those of the reference. */
export interface FitSpec extends z.output<typeof FIT> {}
