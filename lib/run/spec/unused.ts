// The table of settings that another setting, the network, the data or the command leaves without effect.

import type { Graph } from '../../graph/ir.js';
import { field, opOf } from '../../graph/ops.js';
import { depthwiseNorms } from '../../graph/readers.js';
import type { FitSpec, Spec, SplittingSpec } from './experiment.js';

/** What decides whether a setting has an effect. */
export interface Use {
  readonly spec: Spec;
  readonly command: 'grow' | 'train' | 'compare';
  /** The network that the run starts from; growth adds no op to it. */
  readonly graph: Graph;
  readonly trainImages: number;
}

/** Fields by their paths, or the parts that hold them; when they have no effect, and why then. */
interface Row {
  readonly fields: readonly string[];
  /** Why, for the message; null: they have an effect. */
  readonly because: (use: Use) => string | null;
  /** Named by the part alone, however many fields of it are set. */
  readonly isWhole?: boolean;
}

const METHODS_BY_PASSES: readonly string[] = ['lobpcg', 'auto'];
const SOFTENED: readonly unknown[] = ['relu', 'relu6'];

const methodsOf = ({ method, alongside }: SplittingSpec): readonly string[] => [method, ...alongside];
const when = (holds: boolean, because: string): string | null => (holds ? because : null);
const augments = ({ data }: Spec, kind: string): boolean => data.augment.some((one) => one === kind);
const longest = ({ epochs }: FitSpec): number => Math.max(...[epochs].flat());
const hasNorm = ({ nodes }: Graph): boolean => nodes.some((node) => opOf(node).chain === 'batch_norm');
const activationsOf = ({ nodes }: Graph): readonly unknown[] =>
  nodes.flatMap((node) => (opOf(node).chain === 'activation' ? [field(node, 'kind')] : []));
/** Entries of a list that gives each stage its own, behind those of the last stage. */
const tail = (value: unknown, stages: number | undefined): boolean =>
  Array.isArray(value) && stages !== undefined && value.length > stages;

/** A list of one entry a stage, the seed network's the first. */
const perStage = (name: string, valueIn: (spec: Spec) => unknown): Row => ({
  fields: [name],
  because: ({ spec, command }) =>
    command === 'train'
      ? when(tail(valueIn(spec), 1), 'train has one stage, and takes the first entry')
      : when(
          tail(valueIn(spec), spec.stop.stages === undefined ? undefined : spec.stop.stages + 1),
          `stop.stages ${spec.stop.stages} leaves its last entries no stage`,
        ),
});

const NO_NORM = 'the network has no batch norm';

export const UNUSED: readonly Row[] = [
  {
    fields: ['splitting', 'stop', 'deliver', 'compare'],
    because: ({ command }) => when(command === 'train', 'train does not grow'),
    isWhole: true,
  },
  {
    fields: ['deliver.compute', 'deliver.learningRate', 'deliver.stages'],
    because: ({ spec: { deliver } }) => when(deliver.which === 'grown', 'deliver grown trains nothing again'),
  },
  {
    fields: ['deliver'],
    because: ({ command }) => when(command === 'compare', 'compare trains rivals alone'),
    isWhole: true,
  },
  {
    fields: ['splitting', 'stop'],
    because: ({ command, spec }) =>
      when(
        command === 'compare' && spec.compare.every(({ targets }) => targets !== undefined),
        'compare does not grow, and every rival has its targets',
      ),
    isWhole: true,
  },
  perStage('fit.epochs', ({ fit }) => fit.epochs),
  perStage('fit.schedule', ({ fit }) => fit.schedule),
  perStage('fit.finish.epochs', ({ fit }) => fit.finish.epochs),
  {
    fields: ['fit.finish.decay', 'fit.finish.stages'],
    because: ({ spec: { fit } }) =>
      when(
        [fit.finish.epochs].flat().every((epochs) => epochs === 0),
        'fit.finish.epochs is 0: nothing is finished',
      ),
  },
  {
    fields: ['fit.finish.stages'],
    because: ({ command }) => when(command === 'train', 'train has one stage'),
  },
  {
    fields: ['fit.rateByAge'],
    because: ({ command }) => when(command !== 'grow', `${command} does not grow`),
  },
  {
    fields: ['splitting.growthRatio'],
    because: ({ spec: { splitting, stop } }) =>
      when(
        tail(splitting.growthRatio, stop.stages),
        `stop.stages ${stop.stages} leaves its last entries no stage`,
      ),
  },
  {
    fields: ['splitting.epochs', 'splitting.mostEpochs', 'splitting.learningRate', 'splitting.rmsprop'],
    because: ({ spec: { splitting } }) =>
      when(!methodsOf(splitting).includes('rayleigh'), `splitting.method ${splitting.method} has no descent`),
  },
  {
    fields: ['splitting.passes'],
    because: ({ spec: { splitting } }) =>
      when(
        !methodsOf(splitting).some((one) => METHODS_BY_PASSES.includes(one)),
        `splitting.method ${splitting.method} has no passes of lobpcg`,
      ),
  },
  {
    fields: ['splitting.tolerance'],
    because: ({ spec: { splitting } }) =>
      when(
        methodsOf(splitting).every((one) => one === 'exact'),
        `splitting.method ${splitting.method} looks at no residuals`,
      ),
  },
  {
    fields: ['splitting.memoryLimit', 'checkpoint.indicesBytes'],
    because: ({ spec: { splitting } }) =>
      when(
        methodsOf(splitting).every((one) => one === 'rayleigh'),
        `splitting.method ${splitting.method} sums no matrices`,
      ),
  },
  {
    fields: ['splitting.rmsprop.decayEvery', 'splitting.rmsprop.decayFirst'],
    because: ({ spec: { splitting } }) =>
      when(splitting.rmsprop.decayFactor === 1, 'splitting.rmsprop.decayFactor is 1'),
  },
  {
    fields: ['splitting.lineSearch.grid'],
    because: ({ spec: { splitting } }) =>
      when(splitting.epsilon !== 'line-search', `splitting.epsilon is ${splitting.epsilon}`),
  },
  {
    fields: ['splitting.insertion.share'],
    because: ({ spec: { splitting } }) =>
      when(splitting.insertion.kind === 'none', 'splitting.insertion.kind is none'),
  },
  {
    fields: ['splitting.rounding.threshold'],
    because: ({ spec: { splitting } }) =>
      when(splitting.rounding.kind !== 'threshold', `splitting.rounding.kind is ${splitting.rounding.kind}`),
  },
  {
    fields: ['splitting.costEstimate', 'splitting.budgets'],
    because: ({ spec: { splitting } }) =>
      when(
        ['vanilla', 'random', 'cost-only'].includes(splitting.strategy) && splitting.hardLimit,
        `splitting.strategy ${splitting.strategy} does not look at the relaxation; only the recorded bound does`,
      ),
  },
  {
    fields: ['splitting.optimizerState'],
    because: ({ spec: { fit } }) =>
      when(fit.optimizer.momentum === 0, 'fit.optimizer.momentum is 0: there is none to keep'),
  },
  {
    fields: ['splitting.images'],
    because: ({ spec: { splitting }, trainImages }) =>
      when(
        (splitting.images ?? 0) > trainImages,
        `the data has ${trainImages} training images, which are all taken`,
      ),
  },
  {
    fields: ['splitting.lineSearch.images'],
    because: ({ spec: { splitting }, trainImages }) =>
      when(
        splitting.lineSearch.images > trainImages,
        `the data has ${trainImages} training images, which are all taken`,
      ),
  },
  {
    fields: ['splitting.recalibrateImages'],
    because: ({ spec: { splitting }, trainImages, graph }) =>
      hasNorm(graph)
        ? when(
            splitting.recalibrateImages > trainImages,
            `the data has ${trainImages} training images, which are all taken`,
          )
        : NO_NORM,
  },
  {
    fields: [
      ...['splitting.rescale', 'splitting.shrink', 'splitting.perturb', 'splitting.lineSearch.statistics'],
      'fit.syncBatchNorm',
    ],
    because: ({ graph }) => when(!hasNorm(graph), NO_NORM),
  },
  {
    fields: ['splitting.depthwiseBatchNorm'],
    because: ({ graph }) =>
      when(
        depthwiseNorms(graph).length === 0,
        'the network has no batch norm behind a depthwise convolution',
      ),
  },
  {
    fields: ['splitting.reluBeta'],
    because: ({ graph }) =>
      when(
        !activationsOf(graph).some((kind) => SOFTENED.includes(kind)),
        'no activation of the network is relu or relu6',
      ),
  },
  {
    fields: ['fit.average.every', 'fit.average.warmup'],
    because: ({ spec: { fit } }) =>
      when(fit.average.decay === 0, 'fit.average.decay is 0: no average is kept'),
  },
  {
    fields: ['fit.optimizer.decay'],
    because: ({ spec: { fit } }) => when(fit.optimizer.weightDecay === 0, 'fit.optimizer.weightDecay is 0'),
  },
  {
    fields: ['fit.schedule.at', 'fit.schedule.factor'],
    because: ({ spec: { fit } }) =>
      when(
        'kind' in fit.schedule &&
          fit.schedule.kind === 'steps' &&
          fit.schedule.at.every((epoch) => epoch >= longest(fit)),
        `no entry of fit.schedule.at is below fit.epochs, ${longest(fit)}`,
      ),
  },
  {
    fields: ['data.cropPadding'],
    because: ({ spec }) => when(!augments(spec, 'crop'), 'data.augment has no crop'),
  },
  {
    fields: ['data.leastArea'],
    because: ({ spec }) => when(!augments(spec, 'resized-crop'), 'data.augment has no resized-crop'),
  },
  {
    fields: ['data.testShare', 'data.testPart', 'data.followLinks'],
    because: ({ spec: { data } }) =>
      when('store' in data && data.store !== undefined, 'data.store has its parts and its files already'),
  },
];
