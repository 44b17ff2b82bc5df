// The preset networks, one row a preset: MobileNetV1, MobileNetV2, ResNet, and the paper's CIFAR seeds.
import { SplitgrowError } from '../errors.js';
import { parseGraph } from '../graph/check.js';
import { complaint, didYouMean, type Field, row } from '../graph/fields.js';
import { FORMAT, type Graph, type GraphNode } from '../graph/ir.js';
import { MAX_WIDTH } from '../graph/op-fields.js';
import { ACTIVATION_KINDS } from '../graph/ops.js';
import { type Block, type BlockStyle, BOTTLENECK } from './blocks.js';
import { blockNodes, parseBlocks, scaleBlocks } from './notation.js';

/** Options of `buildPreset`; each preset knows some of them and has its own defaults. */
export interface PresetOptions {
  /** Multiplier of every width; for mobilenet_cifar10 the number of channels. */
  readonly width?: number;
  /** Pixels a side. */
  readonly resolution?: number;
  /** Channels of the input. */
  readonly channels?: number;
  /** Outputs of the classifier. */
  readonly classes?: number;
  /** After every layer that has one. */
  readonly activation?: string;
  /** Name written into the graph; the preset's own by default. */
  readonly name?: string;
  /** Multiplied widths become multiples of this (see `divisible`). mobilenet_v2: 0 is 8, but the paper's list at 0.3. */
  readonly round?: number;
  /** mobilenet_cifar10: blocks between the stem and the extra block. */
  readonly blocks?: number;
  /** mobilenet_v2: what joins a residual block, its input or a learned 1x1 convolution of it. */
  readonly shortcut?: string;
  /** mobilenet_v2: dropout before the classifier; 0: none. */
  readonly dropout?: number;
  /** resnet18, resnet50: the 7x7 convolution and max pooling of ImageNet, or a 3x3 convolution for small images. */
  readonly stem?: string;
}

type Settings = Required<PresetOptions>;

interface Preset {
  readonly summary: string;
  /** The options that the preset knows; each has a default. */
  readonly options: Readonly<Record<string, Field>>;
  readonly blocks: (settings: Settings) => readonly Block[];
}

const MULTIPLIER: Field = {
  kind: 'number',
  min: 1e-3,
  max: 64,
  default: 1,
  about: 'multiplier of every width',
};
const count = (value: number, max: number, about: string, min = 1): Field => ({
  kind: 'integer',
  min,
  max,
  default: value,
  about,
});
const round = (value: number): Field => count(value, 1024, 'multiplied widths become multiples of it');
const common = (
  resolution: number,
  classes: number,
  activation: string,
): Readonly<Record<string, Field>> => ({
  resolution: count(resolution, 4096, 'height and width of the input'),
  channels: count(3, MAX_WIDTH, 'channels of the input'),
  classes: count(classes, MAX_WIDTH, 'classes', 2),
  activation: {
    kind: 'choice',
    choices: ACTIVATION_KINDS,
    default: activation,
    about: 'the function after every convolution that has one',
  },
});

/**
 * The nearest multiple of `divisor`, at least `divisor`, and one multiple more
 * where that would be less than 0.9 of the value (the rule of the MobileNet code
 * of TensorFlow and torchvision).
 */
export function divisible(value: number, divisor: number): number {
  const near = Math.max(divisor, Math.floor((value + divisor / 2) / divisor) * divisor);
  return near < 0.9 * value ? near + divisor : near;
}

const V1 = 'conv32s2 ds64 ds128s2 ds128 ds256s2 ds256 ds512s2 ds512n5 ds1024s2 ds1024';
const V2 = 'conv32s2 ir16t1 ir24s2n2 ir32s2n3 ir64s2n4 ir96n3 ir160s2n3 ir320 pw1280';
/**
 * MobileNetV2 at "0.3x", the paper's ImageNet seed: no rounding rule but a list in the authors' code, about 0.35 of
 * the widths and an expansion of 5 (one inner width is 100, not 110). 37,704,317 MACs with identity shortcuts,
 * 39,113,557 with their learned 1x1 shortcuts; 0.3 rounded to multiples of 8 would be 56.4M.
 */
const V2_SEED = 'conv11s2 ir6t1 ir8t5s2n2 ir11t5s2n3 ir22t5s2n3 ir22e100 ir33t5n3 ir56t5s2n3 ir112t5 pw448';
const V2_LISTS: Readonly<Record<string, string>> = { '0.3': V2_SEED };
/** He et al. 2016, table 1. */
const RESNETS = {
  resnet18: 'stem64s2 basic64n2 basic128s2n2 basic256s2n2 basic512s2n2',
  resnet50: 'stem64s2 bottle256n3 bottle512s2n4 bottle1024s2n6 bottle2048s2n3',
} as const;
/** Seed of the paper's section 5.2 (widths in the authors' code). */
const CIFAR100 = 'conv8 ds8 ds8s2 ds8 ds16s2 ds16 ds24s2 ds24n5 ds32s2 ds32';

const multiplied = (text: string, { width, round }: Settings): readonly Block[] =>
  scaleBlocks(parseBlocks(text), (w) => divisible(w * width, round));

/** The inner widths are what is multiplied: a bottleneck's output stays four times as wide. */
function resnetBlocks(text: string, { width, round, stem }: Settings): readonly Block[] {
  return parseBlocks(text).map((block) => {
    const times = block.kind === 'bottle' ? BOTTLENECK : 1;
    const scaled = { ...block, width: times * divisible((block.width / times) * width, round) };
    return block.kind === 'stem' && stem === 'small' ? { ...scaled, kind: 'conv', stride: 1 } : scaled;
  });
}

const resnet = (depth: number, text: string): Preset => ({
  summary: `ResNet-${depth} (He et al. 2016), as in torchvision; "stem": "small" for images of 32 or 64 pixels`,
  options: {
    ...common(224, 1000, 'relu'),
    width: MULTIPLIER,
    round: round(1),
    stem: {
      kind: 'choice',
      choices: ['imagenet', 'small'],
      default: 'imagenet',
      about: 'the 7x7 convolution and max pooling of ImageNet, or a 3x3 convolution for small images',
    },
  },
  blocks: (settings) => resnetBlocks(text, settings),
});

/** MobileNetV2's last convolution is not made narrower, only wider (Sandler et al. 2018, section 6). */
function v2Blocks(settings: Settings): readonly Block[] {
  const list = settings.round === 0 ? row(V2_LISTS, String(settings.width)) : undefined;
  if (list !== undefined) return parseBlocks(list);
  const [scaled, plain] = [multiplied(V2, { ...settings, round: settings.round || 8 }), parseBlocks(V2)];
  return scaled.map((block, i) => (block.kind === 'pw' && settings.width < 1 ? (plain[i] ?? block) : block));
}

/** Section 5.1: `k` blocks in which the resolution is halved three times at even distances, and one extra block. */
function cifar10Blocks({ blocks: k, width }: Settings): readonly Block[] {
  const strides = Array.from({ length: k }, (_, i) =>
    Math.floor((3 * (i + 1)) / k) > Math.floor((3 * i) / k) ? 2 : 1,
  );
  return parseBlocks([`conv${width}`, ...[...strides, 1].map((s) => `ds${width}s${s}`)].join(' '));
}

/** Presets by name, each with a summary and the options it knows; `buildPreset` makes the graph. */
export const ZOO: Readonly<Record<string, Preset>> = {
  mobilenet_v1: {
    summary: "MobileNetV1 (Howard et al. 2017); width 0.3 is the paper's ImageNet seed",
    // Multiples of 4 give the seed's .059G at 0.3x; 0.25, 0.5, 0.75 and 1 need no rounding at all.
    options: { ...common(224, 1000, 'relu'), width: MULTIPLIER, round: round(4) },
    blocks: (settings) => multiplied(V1, settings),
  },
  mobilenet_v2: {
    summary: "MobileNetV2 (Sandler et al. 2018), as in torchvision; width 0.3 is the paper's ImageNet seed",
    options: {
      ...common(224, 1000, 'relu6'),
      width: MULTIPLIER,
      round: count(
        0,
        1024,
        "multiplied widths become multiples of it; 0: of 8, but the paper's list at width 0.3",
        0,
      ),
      shortcut: {
        kind: 'choice',
        choices: ['identity', 'conv'],
        default: 'identity',
        about: 'what joins a residual block: its input, or a learned 1x1 convolution of it',
      },
      dropout: {
        kind: 'number',
        min: 0,
        max: 1,
        below: 1,
        default: 0,
        about: 'dropout before the classifier; 0: none',
      },
    },
    blocks: v2Blocks,
  },
  resnet18: resnet(18, RESNETS.resnet18),
  resnet50: resnet(50, RESNETS.resnet50),
  mobilenet_cifar10: {
    summary: "the paper's CIFAR-10 variants: k blocks of `width` channels, and one extra block",
    options: {
      ...common(32, 10, 'relu'),
      width: count(8, MAX_WIDTH, 'channels of every layer'),
      blocks: count(3, 1000, 'blocks between the stem and the extra block'),
    },
    blocks: cifar10Blocks,
  },
  mobilenet_cifar100: {
    summary: "the paper's CIFAR-100 seed, a narrow MobileNetV1",
    options: { ...common(32, 100, 'relu'), width: MULTIPLIER, round: round(1) },
    blocks: (settings) => multiplied(CIFAR100, settings),
  },
};

const NAME: Field = { kind: 'choice', choices: [], about: 'name written into the graph' };

/** Every option of the preset: the given ones, checked, and the defaults. */
function settingsOf(name: string, preset: Preset, options: PresetOptions): Settings {
  const known: Readonly<Record<string, Field>> = { ...preset.options, name: NAME };
  const settings: Record<string, unknown> = {
    ...{ round: 1, blocks: 1, shortcut: 'identity', dropout: 0, stem: 'imagenet', name },
  };
  for (const [key, field] of Object.entries(preset.options)) settings[key] = field.default;
  for (const [key, value] of Object.entries(options)) {
    const field = row(known, key);
    if (field === undefined) {
      throw new SplitgrowError(
        'E_PRESET',
        `${name}: unknown option "${key.slice(0, 40)}"${didYouMean(key, Object.keys(known))}`,
      );
    }
    if (value === undefined) continue;
    const isText = typeof value === 'string';
    const found = field === NAME ? (isText ? undefined : 'must be a text') : complaint(field, value);
    if (found !== undefined) throw new SplitgrowError('E_PRESET', `${name}: option "${key}" ${found}`);
    settings[key] = value;
  }
  return settings as unknown as Settings;
}

/**
 * A preset network as a checked graph. Images are [channels, resolution, resolution]; no `mean` or `std` is set.
 *
 * @throws E_PRESET for an unknown preset or option, or a value out of range, naming the nearest known one.
 * @throws E_GRAPH_SHAPE where the options together give a network larger than the limits of rules.ts.
 */
export function buildPreset(name: string, options: PresetOptions = {}): Graph {
  const preset = row(ZOO, name);
  if (preset === undefined) {
    throw new SplitgrowError(
      'E_PRESET',
      `there is no preset "${name.slice(0, 40)}"${didYouMean(name, Object.keys(ZOO))}`,
    );
  }
  const settings = settingsOf(name, preset, options);
  const { channels, resolution, classes, activation, dropout } = settings;
  const style: BlockStyle = { activation, shortcut: settings.shortcut === 'conv' ? 'conv' : 'identity' };
  const body = blockNodes(preset.blocks(settings), channels, style);
  const pool: GraphNode = { id: 'pool', op: 'global_avg_pool', inputs: [body.at(-1)?.id ?? 'input'] };
  const drop: GraphNode[] =
    dropout > 0 ? [{ id: 'dropout', op: 'dropout', inputs: ['pool'], p: dropout }] : [];
  const from = drop[0]?.id ?? 'pool';
  return parseGraph({
    format: FORMAT,
    name: settings.name,
    input: { shape: [channels, resolution, resolution] },
    nodes: [
      ...body,
      pool,
      ...drop,
      { id: 'classifier', op: 'linear', inputs: [from], out: classes, bias: true },
    ],
    output: 'classifier',
  });
}
