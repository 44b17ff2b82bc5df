// splitgrow import: a network directory from the weights of torchvision or timm.
import { importWeights } from '../api/import.js';
import { SplitgrowError } from '../errors.js';
import { NAMES } from '../models/names.js';
import { integer } from '../statistics/format.js';
import { readClassNames } from './class-names.js';
import { defineCommand } from './command.js';
import { choice, integer as count, required, text } from './flags.js';
import { PRESET_FLAGS, presetOptions } from './networks.js';
import { facts } from './table.js';

const LIBRARIES = ['torchvision', 'timm'] as const;
const presets = [...new Set(Object.values(NAMES).flatMap((maps) => Object.keys(maps)))];

/** "0.5,0.5,0.5" */
function numbers(given: string | undefined, name: string): readonly number[] | undefined {
  if (given === undefined) return undefined;
  const list = given.split(',').map((word) => (word.trim() === '' ? Number.NaN : Number(word)));
  if (list.every(Number.isFinite)) return list;
  throw new SplitgrowError('E_USAGE', `${name}: expected numbers with commas between, got "${given}"`);
}

export const IMPORT = defineCommand({
  name: 'import',
  endsAnywhere: true,
  summary: 'a network directory from the weights of a torchvision or timm model',
  flags: {
    weights: required(text('FILE', 'safetensors file of its state dict')),
    from: required(choice(LIBRARIES, 'the library that the model is of')),
    preset: required(text('NAME', `the preset that it is (${presets.join(', ')})`)),
    out: required(text('DIR', 'directory of the new network')),
    ...PRESET_FLAGS,
    mean: text('LIST', "per channel, what pixels / 255 were normalised by (default: the library's)"),
    std: text('LIST', 'likewise'),
    shortSide: count(
      'N',
      'of images in files: their shorter side before the centre crop (default: 256 at 224)',
      {
        min: 1,
      },
    ),
    classNames: text('FILE', 'text file with a name a line, or JSON, as many as the weights have classes'),
  },
  examples: [
    [
      'splitgrow import --weights v2.safetensors --from torchvision --preset mobilenet_v2 --out v2',
      'torchvision.models.mobilenet_v2, its classes told by the weights',
    ],
    [
      'splitgrow import --weights v1.safetensors --from timm --preset mobilenet_v1 --width 1.25 --resolution 256 --out v1',
      'mobilenetv1_125 of timm, to be fed images of 256 pixels',
    ],
  ],
  run: async ({ weights, from, preset, out, mean, std, shortSide, classNames, ...values }, { control }) => {
    const options = {
      ...{ weights, from, preset, out, options: presetOptions(values) },
      ...{ mean: numbers(mean, '--mean'), std: numbers(std, '--std'), shortSide },
      classNames: classNames === undefined ? undefined : await readClassNames(classNames, control),
    };
    const document = await importWeights(options, control);
    return {
      document,
      text: (style) =>
        facts(
          [
            ['tensors', integer(document.tensors)],
            ['ignored', integer(document.ignored)],
            ['MACs', integer(document.macs)],
            ['parameters', integer(document.params)],
            ['written to', document.directory],
          ],
          style,
        ),
    };
  },
});
