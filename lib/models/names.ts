// Names that torchvision and timm give to the tensors of our presets: one table of rules a library and preset.
import { SplitgrowError } from '../errors.js';
import { row } from '../graph/fields.js';
import type { PresetOptions } from './zoo.js';

/**
 * A node of ours and the module that it is. `#` in a node stands for a block's number, from 1; in a module stand for it
 * {block}, and for its place in the library's own stages {stage} and {index} from 0, {layer} from 1.
 */
type Rule = readonly [node: string, module: string];

/** The first rule whose node fits holds. */
export interface NameMap {
  /** Blocks of each of the library's stages. */
  readonly stages: readonly number[];
  readonly rules: readonly Rule[];
  /** Options of the preset under which it is the library's network; given ones win. */
  readonly options: PresetOptions;
  /** What the library's own weights take images to be normalised by, unless they say otherwise. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Per channel, over ImageNet's training images: what both libraries take where nothing else is said. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** A layer and the batch norm behind it. */
const normed = (node: string, layer: string, norm: string): readonly Rule[] => [
  [node, layer],
  [`${node}_bn`, norm],
];

const RESNET = 'layer{layer}.{index}';
/** Of torchvision and timm alike. */
const resnet = (stages: readonly number[]): NameMap => ({
  ...IMAGENET,
  stages,
  options: {},
  rules: [
    ...normed('stem', 'conv1', 'bn1'),
    ...[1, 2, 3].flatMap((n) => normed(`b#_conv${n}`, `${RESNET}.conv${n}`, `${RESNET}.bn${n}`)),
    ...normed('b#_shortcut', `${RESNET}.downsample.0`, `${RESNET}.downsample.1`),
    ['classifier', 'fc'],
  ],
});
const RESNETS = { resnet18: resnet([2, 2, 2, 2]), resnet50: resnet([3, 4, 6, 3]) };

const FEATURES = 'features.{block}.conv';
const TIMM = 'blocks.{stage}.{index}';
const timmEnds: readonly Rule[] = [...normed('stem', 'conv_stem', 'bn1'), ['classifier', 'classifier']];

/** Keys of `--from`, and of each the presets that there is a map for. */
export const NAMES: Readonly<Record<string, Readonly<Record<string, NameMap>>>> = {
  torchvision: {
    mobilenet_v2: {
      ...IMAGENET,
      stages: [1, 2, 3, 4, 3, 3, 1],
      options: {},
      rules: [
        ...normed('stem', 'features.0.0', 'features.0.1'),
        // The first block has no expansion, so that its layers stand one place earlier.
        ...normed('b1_dw', 'features.1.conv.0.0', 'features.1.conv.0.1'),
        ...normed('b1_project', 'features.1.conv.1', 'features.1.conv.2'),
        ...normed('b#_expand', `${FEATURES}.0.0`, `${FEATURES}.0.1`),
        ...normed('b#_dw', `${FEATURES}.1.0`, `${FEATURES}.1.1`),
        ...normed('b#_project', `${FEATURES}.2`, `${FEATURES}.3`),
        ...normed('head', 'features.18.0', 'features.18.1'),
        ['classifier', 'classifier.1'],
      ],
    },
    ...RESNETS,
  },
  timm: {
    mobilenet_v1: {
      ...HALF,
      stages: [1, 2, 2, 6, 2],
      options: { activation: 'relu6', round: 8 },
      rules: [
        ...timmEnds,
        ...normed('b#_dw', `${TIMM}.conv_dw`, `${TIMM}.bn1`),
        ...normed('b#_pw', `${TIMM}.conv_pw`, `${TIMM}.bn2`),
      ],
    },
    mobilenet_v2: {
      ...IMAGENET,
      stages: [1, 2, 3, 4, 3, 3, 1],
      options: {},
      rules: [
        ...timmEnds,
        ...normed('b1_dw', `${TIMM}.conv_dw`, `${TIMM}.bn1`),
        ...normed('b1_project', `${TIMM}.conv_pw`, `${TIMM}.bn2`),
        ...normed('b#_expand', `${TIMM}.conv_pw`, `${TIMM}.bn1`),
        ...normed('b#_dw', `${TIMM}.conv_dw`, `${TIMM}.bn2`),
        ...normed('b#_project', `${TIMM}.conv_pwl`, `${TIMM}.bn3`),
        ...normed('head', 'conv_head', 'bn2'),
      ],
    },
    ...RESNETS,
  },
};

/** @throws E_PRESET naming the presets that the library has a map for */
export function nameMap(library: string, preset: string): NameMap {
  const maps = row(NAMES, library) ?? {};
  const found = row(maps, preset);
  if (found !== undefined) return found;
  throw new SplitgrowError(
    'E_PRESET',
    `preset: ${library} has no network that is "${preset.slice(0, 40)}"; there are names for ${Object.keys(maps).join(', ')}`,
  );
}

/** Where block `block`, counted from 1, stands in the library's stages. */
function placeOf(block: number, stages: readonly number[]): Readonly<Record<string, number>> {
  let [stage, index] = [0, block - 1];
  while (index >= (stages[stage] ?? Number.POSITIVE_INFINITY)) {
    index -= stages[stage] ?? 0;
    stage += 1;
  }
  return { block, stage, index, layer: stage + 1 };
}

/** The library's name of a tensor of ours, or null where it has no such layer. */
export function theirName({ rules, stages }: NameMap, name: string): string | null {
  const [node = '', parameter = ''] = name.split('.');
  const block = /^b(\d+)_/.exec(node)?.[1];
  const pattern = node.replace(/^b\d+_/, 'b#_');
  const module = rules.find(([ours]) => ours === node || ours === pattern)?.[1];
  if (module === undefined) return null;
  const place = placeOf(Number(block ?? 1), stages);
  return `${module.replace(/\{(\w+)\}/g, (_, key: string) => String(place[key]))}.${parameter}`;
}
