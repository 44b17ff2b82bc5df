// The `fit` part of an experiment: parametric updates, their optimizer and their schedule.
import { z } from 'zod';

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
    /** Epochs in which the rate rises to its full height, and the share of that height at which it ends. */
    warmup: z.number().min(0).default(0),
    final: share.default(0),
  }),
  z.strictObject({
    kind: z.literal('wsd'),
    /** Epochs in which the rate rises to its full height, and the last epochs, in which it falls to 0. */
    warmup: z.number().min(0).default(0),
    decay: z.number().min(0).default(0),
  }),
]);

/** After every stage a copy of its network is trained on while the rate falls to 0: that is the stage's network. Growth goes on from the other. */
const FINISH = z.strictObject({ epochs: z.int().min(0).default(0) });

/**
 * Exponential moving average of weights and running statistics: a stage's network is the average, growth goes on from the
 * network itself. Its first `warmup` epochs of a stage are the network's own weights. decay 0: none.
 */
const AVERAGE = z.strictObject({
  decay: share.default(0),
  every: count.default(1),
  warmup: z.number().min(0).default(0),
});

const EPOCHS = z.int().min(0);
/** True where every stage that has epochs has more than it takes to warm up. */
const leavesWarmup = (epochs: number | number[], warmup: number): boolean =>
  [epochs].flat().every((one) => one === 0 || warmup < one);
/** True where every stage that has epochs has room for warm-up and decay. */
const leavesRoom = (epochs: number | number[], taken: number): boolean =>
  [epochs].flat().every((one) => one === 0 || taken <= one);

export const FIT = z
  .strictObject({
    /** Epochs a stage. A list gives every stage its own; its last number holds for all that follow. */
    epochs: z.union([EPOCHS, z.array(EPOCHS).min(1)]).default(160),
    batch: count.default(256),
    /** Images that a rank works on at a time, about; null: its whole part of the minibatch. */
    microBatch: count.nullable().default(null),
    /** What layers multiply in; auto: bfloat16 where the device has it in hardware. */
    precision: z.enum(['float32', 'bfloat16', 'auto']).default('float32'),
    labelSmoothing: share.default(0),
    /** The largest L2 norm of the gradient; null: any. */
    gradientClip: z.number().positive().nullable().default(null),
    optimizer: OPTIMIZER.prefault({}),
    schedule: SCHEDULE.prefault({ kind: 'steps' }),
    finish: FINISH.prefault({}),
    average: AVERAGE.prefault({}),
    syncBatchNorm: z.boolean().default(false),
    /** Images a minibatch when the network is evaluated. */
    evaluationBatch: count.default(256),
  })
  .refine(({ epochs, schedule }) => !('warmup' in schedule) || leavesWarmup(epochs, schedule.warmup), {
    path: ['schedule', 'warmup'],
    message: 'expected fewer epochs of warm-up than fit.epochs',
  })
  .refine(({ epochs, average }) => leavesWarmup(epochs, average.warmup), {
    path: ['average', 'warmup'],
    message: 'expected fewer epochs of warm-up than fit.epochs',
  })
  .refine(
    ({ epochs, schedule }) => schedule.kind !== 'wsd' || leavesRoom(epochs, schedule.warmup + schedule.decay),
    {
      path: ['schedule', 'decay'],
      message: 'expected warm-up and decay to take no more epochs than fit.epochs',
    },
  )
  .refine(({ finish, schedule }) => finish.epochs === 0 || schedule.kind === 'constant', {
    path: ['finish', 'epochs'],
    message: 'expected fit.schedule.kind constant: finishing is where the rate falls',
  });

export type FitSpec = z.output<typeof FIT>;
