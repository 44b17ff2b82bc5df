// Settings of an experiment that another setting, the network, the data or the command leaves without effect: told, never dropped.

import type { Graph } from '../../graph/ir.js';
import { field, opOf } from '../../graph/ops.js';
import { depthwiseNorms } from '../../graph/readers.js';
import { note } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { CHECKPOINT } from './checkpoint.js';
import { dataSchema } from './data.js';
import { DELIVER } from './deliver.js';
import type { CheckpointSpec, DataSpec, FitSpec, Spec, SplittingSpec } from './experiment.js';
import { FIT } from './fit.js';
import { SPLITTING } from './splitting.js';

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
  {
    fields: ['fit.epochs'],
    because: ({ spec: { fit, stop }, command }) =>
      command === 'train'
        ? when(tail(fit.epochs, 1), 'train has one stage, and takes the first entry')
        : when(
            tail(fit.epochs, stop.stages === undefined ? undefined : stop.stages + 1),
            `stop.stages ${stop.stages} leaves its last entries no stage`,
          ),
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
        fit.schedule.kind === 'steps' && fit.schedule.at.every((epoch) => epoch >= longest(fit)),
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

type Json = Readonly<Record<string, unknown>>;
const isPart = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is different from `usual`, by paths. */
function changed(value: unknown, usual: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (isPart(value))
    return Object.entries(value).flatMap(([name, inner]) =>
      changed(inner, isPart(usual) ? usual[name] : undefined, path === '' ? name : `${path}.${name}`),
    );
  return JSON.stringify(value) === JSON.stringify(usual) ? [] : [[path, value]];
}

/** Settings with every default, for the same kinds of data and schedule. */
function usualOf({ data, fit }: Spec): Json {
  const kind = 'file' in data ? { file: data.file } : { name: data.name };
  const size = 'resolution' in data ? { resolution: data.resolution } : {};
  const usual: { data: DataSpec; fit: FitSpec; splitting: SplittingSpec; checkpoint: CheckpointSpec } = {
    data: dataSchema(kind).parse({ ...kind, ...size }),
    fit: FIT.parse({ epochs: fit.epochs, schedule: { kind: fit.schedule.kind } }),
    splitting: SPLITTING.parse({}),
    checkpoint: CHECKPOINT.parse({}),
  };
  return {
    ...usual,
    fit: { ...usual.fit, epochs: FIT.parse({}).epochs },
    ...{ stop: {}, deliver: DELIVER.parse({}), compare: [] },
  };
}

const isWithin = (path: string, part: string): boolean => path === part || path.startsWith(`${part}.`);

/** What a note should say, one text a reason. A field that has its default is none: dropping it changes nothing. */
export function unusedSettings(use: Use): readonly string[] {
  const { data, fit, splitting, stop, deliver, compare, checkpoint } = use.spec;
  const set = changed({ data, fit, splitting, stop, deliver, compare, checkpoint }, usualOf(use.spec), '');
  const told = new Set<string>();
  return UNUSED.flatMap(({ fields, because, isWhole = false }) => {
    const reason = because(use);
    if (reason === null) return [];
    const found = fields.flatMap((part) => {
      const inside = set.filter(([path]) => isWithin(path, part) && !told.has(path));
      for (const [path] of inside) told.add(path);
      if (inside.length === 0) return [];
      return isWhole ? [part] : inside.map(([path, value]) => `${path} ${JSON.stringify(value)}`);
    });
    return found.length > 0 ? [`not used: ${found.join(', ')}; ${reason}`] : [];
  });
}

/** Tells the settings that have no effect. */
export function noteUnused(use: Use, control: RunControl): void {
  for (const text of unusedSettings(use)) note(control, 0, 'load', text);
}
