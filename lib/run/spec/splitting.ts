// The `splitting` part of an experiment: indices, choice and growth.
import { z } from 'zod';
import { FIXED_IMAGES, INDEX_DEFAULTS, METHODS, mostEpochsOf } from '../../split/indices/settings.js';
import { COST, COST_ESTIMATE, COST_NAMES, INSERTION, ROUNDING, STRATEGY } from './choice.js';
import { having, where } from './conditions.js';
import { afterStage0, group, ofStage, part } from './effects.js';

const share = z.number().min(0).lt(1);
const count = z.int().min(1);
const RATIO = z.number().positive();

const RMSPROP = part({
  /** The authors' code; it also decays the rate by 0.2 every 2 epochs. PyTorch's own constants are 0.99 and 0. */
  alpha: afterStage0(share.default(INDEX_DEFAULTS.rmsprop.alpha).describe('smoothing constant of RMSprop')),
  momentum: afterStage0(
    share.default(INDEX_DEFAULTS.rmsprop.momentum).describe('momentum of the descent; below 1'),
  ),
  epsilon: afterStage0(
    z
      .number()
      .positive()
      .default(INDEX_DEFAULTS.rmsprop.epsilon)
      .describe('added to the root of the mean square'),
  ),
  decayFactor: afterStage0(
    z
      .number()
      .positive()
      .default(INDEX_DEFAULTS.rmsprop.decayFactor)
      .describe('rate factor every `decayEvery` epochs'),
  ),
  decayEvery: afterStage0(
    count.default(INDEX_DEFAULTS.rmsprop.decayEvery).describe('epochs between decays of the rate'),
  ),
  // The authors' CIFAR code: 1.
  decayFirst: afterStage0(count.optional().describe('epoch of the first decay; left out: `decayEvery`')),
});

const METHOD = z.enum(METHODS);

const LINE_SEARCH = part({
  grid: afterStage0(
    z
      .array(z.number().positive())
      .min(1)
      .default([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2])
      .describe('steps that the line search tries'),
    { remedy: 'later stages search it' },
  ),
  images: afterStage0(
    count
      .default(1024)
      .describe(
        'images that the loss is measured on: of training, or for a line search of validation where there are some',
      ),
  ),
  statistics: afterStage0(
    z
      .enum(['running', 'batch'])
      .default('running')
      .describe(
        "batch norm's statistics in the losses around a step: `running`, or `batch` (of each minibatch)",
      ),
  ),
});

const FIELDS = part({
  strategy: afterStage0(
    STRATEGY.default('energy-aware').describe(
      'which neurons are split first: `energy-aware`, `vanilla`, `random`, `cost-only` (the cheapest), or your own',
    ),
  ),
  method: afterStage0(
    METHOD.default(INDEX_DEFAULTS.method).describe(
      'how splitting indices are computed: `rayleigh`, `exact`, `lobpcg`, `auto`',
    ),
  ),
  alongside: afterStage0(
    z.array(METHOD).default([]).describe('other methods, computed for comparison alone'),
  ),
  // Section 4 of the paper: epochs, minibatch, rate.
  epochs: afterStage0(
    count
      .default(INDEX_DEFAULTS.epochs)
      .describe('Rayleigh epochs; neurons above `tolerance` go on after them'),
  ),
  tolerance: afterStage0(
    z
      .number()
      .min(0)
      .default(INDEX_DEFAULTS.tolerance)
      .describe(
        'residual at which a neuron is done, as a share of its index, or of a hundredth of the largest index of the layer when that is more',
      ),
  ),
  mostEpochs: afterStage0(
    count
      .nullable()
      .default(INDEX_DEFAULTS.mostEpochs)
      .describe('most Rayleigh epochs; null: three times `epochs`'),
  ),
  passes: afterStage0(
    count.default(INDEX_DEFAULTS.passes).describe('most passes of `lobpcg` over its images'),
  ),
  batch: afterStage0(count.default(INDEX_DEFAULTS.batch).describe('minibatch of the splitting indices')),
  learningRate: afterStage0(
    z.number().positive().default(INDEX_DEFAULTS.learningRate).describe('rate of the Rayleigh descent'),
  ),
  rmsprop: group(RMSPROP.prefault({}).describe('RMSprop of the Rayleigh descent')),
  epsilon: afterStage0(
    z
      .union([z.number().min(0), z.literal('line-search')])
      .default(0.01)
      .describe('step of the offspring, or `"line-search"`'),
    { remedy: 'later stages take it' },
  ),
  epsilonScale: afterStage0(
    z
      .enum(['absolute', 'relative'])
      .default('absolute')
      .describe('`relative`: epsilon counts in lengths of the weights of each neuron'),
  ),
  lineSearch: group(
    LINE_SEARCH.prefault({}).describe('how losses around a step are measured, and which steps are tried'),
  ),
  outgoingDelta: afterStage0(
    z
      .number()
      .gt(-0.5)
      .lt(0.5)
      .default(0)
      .describe('later layers read the offspring at 1/2 + delta and 1/2 − delta; above −0.5 and below 0.5'),
  ),
  rescale: afterStage0(
    z
      .number()
      .min(0)
      .max(2)
      .default(0)
      .describe(
        'offspring before a batch norm are scaled by their share of the parent to this power, from 0 to 2; 0: not',
      ),
  ),
  noise: afterStage0(
    z.number().min(0).default(0).describe('Gaussian noise on the weights of every copy, in lengths of them'),
  ),
  shrink: afterStage0(
    z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe('factor on all weights before a batch norm at growth; 1: not'),
  ),
  perturb: afterStage0(
    z.number().min(0).default(0).describe('Gaussian noise on the same weights, in lengths of each neuron'),
  ),
  recalibrateImages: afterStage0(
    z
      .int()
      .min(0)
      .default(0)
      .describe(
        "training images on which batch norm's statistics are estimated again after growth; 0: copied",
      ),
  ),
  twins: afterStage0(
    z.boolean().default(false).describe('record the distances of offspring after growth and every epoch'),
  ),
  gradients: afterStage0(
    z
      .boolean()
      .default(false)
      .describe('record gradient norms of newborn and old channels after growth and every epoch'),
  ),
  growthRatio: afterStage0(
    z
      .union([RATIO, z.array(RATIO).min(1)])
      .default(0.5)
      .describe(
        'share by which every budgeted cost may grow a stage; a list gives one number a stage, the last for all later ones',
      ),
    { isPerStage: true },
  ),
  cost: afterStage0(
    z
      .union([COST, z.array(COST).min(1)])
      .default('macs')
      .describe(
        `what is budgeted: ${COST_NAMES}, one of your own, or a list of them; MACs are limited in any case`,
      ),
  ),
  costEstimate: group(
    COST_ESTIMATE.prefault({}).describe('what the linear relaxation takes a neuron to cost'),
  ),
  budgets: afterStage0(
    z
      .enum(['total', 'two-groups'])
      .default('total')
      .describe('budgets of the linear program: `total`, or `two-groups` of layers'),
  ),
  layerCap: afterStage0(
    z
      .union([z.number().positive().max(1), z.record(z.string(), count)])
      .nullable()
      .default(null)
      .describe('share of a layer that a stage may split, or largest widths by layer; null: no limit'),
  ),
  hardLimit: afterStage0(
    z.boolean().default(true).describe('`false`: `growthRatio` limits only the estimate'),
  ),
  insertion: group(INSERTION.prefault({}).describe('new neurons beside splits, at the same cost')),
  rounding: group(ROUNDING.prefault({}).describe('from the relaxation to whole neurons')),
  optimizerState: afterStage0(
    z
      .enum(['reset', 'keep'])
      .default('reset')
      .describe('momentum after growth: `reset`, or `keep` (shared out)'),
  ),
  directionHalving: afterStage0(
    z
      .boolean()
      .default(true)
      .describe('`false`: the step of a layer is not halved when its inputs are split too'),
  ),
  depthwiseBatchNorm: afterStage0(
    z
      .enum(['eval', 'train'])
      .default(INDEX_DEFAULTS.depthwiseBatchNorm)
      .describe('mode of batch norm after depthwise convolutions during indices: `eval` or `train`'),
  ),
  reluBeta: afterStage0(
    z
      .number()
      .positive()
      .default(INDEX_DEFAULTS.reluBeta)
      .describe('sharpness of the softplus that stands for relu in second derivatives'),
  ),
  identityCurvature: afterStage0(
    z
      .number()
      .default(INDEX_DEFAULTS.identityCurvature)
      .describe('second derivative of a chain without activation'),
  ),
  images: afterStage0(
    count
      .nullable()
      .default(null)
      .describe(`training images for the indices; null: all, or ${FIXED_IMAGES} for \`lobpcg\` and \`auto\``),
  ),
  memoryLimit: afterStage0(
    count
      .default(INDEX_DEFAULTS.memoryLimit)
      .describe('bytes that the exact method may take, and lobpcg for what it keeps of the images'),
    { remedy: 'matrices of exact indices are cut in another way' },
  ),
});

export const SPLITTING = FIELDS.refine(
  ({ rounding, strategy }) => rounding.kind === 'exchange' || strategy === 'energy-aware',
  { path: ['rounding', 'kind'], message: 'expected exchange unless splitting.strategy is energy-aware' },
)
  .refine(
    ({ costEstimate, cost }) =>
      costEstimate.estimate === 'marginal' || [cost].flat().every((one) => one === 'macs'),
    { path: ['costEstimate', 'estimate'], message: 'expected marginal unless splitting.cost is macs' },
  )
  .refine((splitting) => mostEpochsOf(splitting) >= splitting.epochs, {
    path: ['mostEpochs'],
    message: 'expected as many as splitting.epochs or more',
  })
  .meta({
    allOf: [
      where(
        { rounding: having({ kind: { const: 'threshold' } }) },
        { properties: { strategy: { const: 'energy-aware' } } },
      ),
      where(
        { costEstimate: having({ estimate: { const: 'own-layer' } }) },
        { properties: { cost: { anyOf: [{ const: 'macs' }, { type: 'array', items: { const: 'macs' } }] } } },
      ),
    ],
  });

/** The `splitting` part of an experiment, checked, with every default; its fields are those of the reference. */
export interface SplittingSpec extends z.output<typeof SPLITTING> {}

/** By what share the budgets may grow from stage `stage` to the next. */
export function growthRatioOf({ growthRatio }: Pick<SplittingSpec, 'growthRatio'>, stage: number): number {
  return ofStage(growthRatio, stage);
}
