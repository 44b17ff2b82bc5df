// Flags that several commands share: network, preset, batch file, device, and limits of images in files.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGE_DEFAULTS } from '../data/images/settings.js';
import { SplitgrowError } from '../errors.js';
import { didYouMean } from '../graph/fields.js';
import { type PresetOptions, ZOO } from '../models/zoo.js';
import { choice, integer, number, required, text, toggle, type Values } from './flags.js';

export const DIRECTORY_FLAG = required(
  text('DIR', "network directory (network.json, weights.safetensors), or a run's folder"),
);
export const BATCH_FLAG = required(text('FILE', 'safetensors file with images [N,C,H,W] and labels [N]'));
export const DEVICE_FLAG = choice(['cpu', 'cuda'], 'where to compute (default: cpu)');

/** What of the images in a folder is used, as fields of `data` in an experiment. */
export const FOLDER_FLAGS = {
  testShare: number(
    'S',
    `share of the images kept for testing where the folder has no test part (default ${IMAGE_DEFAULTS.testShare})`,
    { min: 0, max: 1, isOpen: true },
  ),
  followLinks: toggle('follows links that lead out of the folder (default: they are passed over)'),
  maxPixels: integer('N', `images of more pixels are left out (default ${IMAGE_DEFAULTS.maxPixels})`, {
    min: 1,
  }),
  maxScans: integer(
    'N',
    `progressive JPEGs of more scans are left out (default ${IMAGE_DEFAULTS.maxScans})`,
    {
      min: 1,
    },
  ),
};
export const WORKERS_FLAG = integer('N', 'threads that decode (default: as many as compute)', {
  min: 1,
  max: 1024,
});
export const EXACT_DECODE_FLAG = toggle('decodes JPEGs whole, as Pillow does, and shrinks the pixels after');

/** The options of a preset; each preset knows some of them. */
export const PRESET_FLAGS = {
  width: number('M', 'of a preset: width multiplier, or channels where the preset counts them', {
    min: 0,
    isOpen: true,
  }),
  resolution: integer('R', 'of a preset: height and width of the input', { min: 1, max: 4096 }),
  blocks: integer('K', 'of mobilenet_cifar10: blocks', { min: 1 }),
  classes: integer('N', 'of a preset: classes', { min: 1 }),
  channels: integer('C', 'of a preset: channels of the input', { min: 1 }),
  activation: text('KIND', 'of a preset: relu, relu6, silu ...'),
  round: integer('N', 'of a preset: multiplied widths become multiples of it', { min: 0 }),
  shortcut: text('KIND', 'of mobilenet_v2: identity or conv'),
  dropout: number('P', 'of mobilenet_v2: dropout before the classifier', { min: 0 }),
  stem: text('KIND', 'of resnet18 and resnet50: imagenet or small'),
};

/** --network DIR|PRESET and the options of a preset. */
export const NETWORK_FLAG = required(
  text('DIR|PRESET', "network directory, a run's folder, or the name of a preset"),
);
export const NETWORK_FLAGS = {
  network: NETWORK_FLAG,
  ...PRESET_FLAGS,
};

interface NetworkOptions {
  readonly network: string;
  readonly width: number | undefined;
  readonly resolution: number | undefined;
  readonly preset: Readonly<Record<string, unknown>>;
}

/** A directory with a network.json goes before a preset of the same name. `word` is what gave it, for the error. */
function placeOf(network: string, word: string): string {
  const isPreset = Object.hasOwn(ZOO, network);
  if (existsSync(join(network, 'network.json'))) return isPreset ? `./${network}` : network;
  if (isPreset || existsSync(network)) return network;
  const presets = Object.keys(ZOO);
  throw new SplitgrowError(
    'E_PRESET',
    `${word}: expected a directory with network.json or a preset (${presets.join(', ')}), got "${network}"${didYouMean(network, presets, 'never')}`,
  );
}

/** The options that were given. */
export function presetOptions(values: Partial<Values<typeof PRESET_FLAGS>>): PresetOptions {
  const keys = Object.keys(PRESET_FLAGS) as (keyof typeof PRESET_FLAGS)[];
  return Object.fromEntries(
    keys.flatMap((key) => (values[key] === undefined ? [] : [[key, values[key]]])),
  ) as PresetOptions;
}

/** The network and the preset's options as the API takes them. */
export function networkOf(
  { network, ...values }: Values<typeof NETWORK_FLAGS>,
  word = '--network',
): NetworkOptions {
  const { width, resolution, ...preset } = presetOptions(values);
  return { network: placeOf(network, word), width, resolution, preset: { ...preset } };
}
