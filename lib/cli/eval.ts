// splitgrow eval: top-1, top-5 and loss of a network on the images of a dataset.
import { evaluate } from '../api/evaluate.js';
import { SplitgrowError } from '../errors.js';
import { parseData } from '../run/spec/spec.js';
import { decimal, integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { choice, integer as count, required, text, toggle, withDefault } from './flags.js';
import { flagName } from './parse.js';
import {
  DEVICE_FLAG,
  DIRECTORY_FLAG,
  EXACT_DECODE_FLAG,
  FOLDER_FLAGS,
  WORKERS_FLAG,
} from './shared-flags.js';
import { facts } from './table.js';

/** Flags of images in files, as fields of `data` in an experiment. */
const IMAGE_FLAGS = {
  store: text('FILE', 'store made by data pack, instead of a folder, for imagenet and image-folder'),
  ...FOLDER_FLAGS,
  workers: WORKERS_FLAG,
  skipUnreadable: toggle('leaves out an image that cannot be decoded, instead of failing'),
};
const IMAGE_FIELDS = Object.keys(IMAGE_FLAGS) as readonly (keyof typeof IMAGE_FLAGS)[];
const IMAGE_DATA: readonly string[] = ['imagenet', 'image-folder'];

type GivenImages = { readonly [K in keyof typeof IMAGE_FLAGS]: unknown };

/** The fields that are given. @throws E_USAGE where the data has no image files */
function imageFields(
  given: GivenImages & { readonly exactDecode: boolean },
  data: string,
): Readonly<Record<string, unknown>> {
  const fields: [string, unknown][] = IMAGE_FIELDS.map((name) => [name, given[name]]);
  const chosen = fields.filter(([, value]) => value !== undefined && value !== false);
  if (given.exactDecode) chosen.push(['exactDecode', true]);
  const [first] = chosen;
  if (first !== undefined && !IMAGE_DATA.includes(data))
    throw new SplitgrowError(
      'E_USAGE',
      `${flagName(first[0])}: expected only with ${IMAGE_DATA.join(' or ')}; leave it out`,
    );
  return Object.fromEntries(
    chosen.map(([name, value]) => (name === 'exactDecode' ? ['scaledDecoding', false] : [name, value])),
  );
}

export const EVAL = defineCommand({
  name: 'eval',
  endsAnywhere: true,
  summary: 'top-1, top-5 and loss of a network on the test images of a dataset, or on another part',
  flags: {
    network: DIRECTORY_FLAG,
    data: required(
      text('NAME', 'fashion-mnist, cifar10, cifar100, imagenet, image-folder, or a .safetensors file'),
    ),
    root: text('DIR', "the dataset's folder"),
    part: choice(
      ['test', 'val', 'train', 'all'],
      'which images: test or val (of a folder, its part of that name), train, or all (default: the test images that training has)',
    ),
    labels: choice(['fine', 'coarse'], 'which labels of cifar100 (default: fine)'),
    classesBy: choice(
      ['name', 'number'],
      "matches the data's classes with the network's by name or by number (default: name)",
    ),
    shortSide: count(
      'N',
      "shorter side of images in files before the centre crop (default: the network's own, else 256 at 224)",
      {
        min: 1,
      },
    ),
    exactDecode: EXACT_DECODE_FLAG,
    ...IMAGE_FLAGS,
    whole: toggle(
      'refuses anything but the whole official set (of fashion-mnist the one that data get fetches)',
    ),
    images: count('N', 'only the first N images of the part', { min: 1 }),
    batchSize: withDefault(count('N', 'images a minibatch', { min: 1 }), 256),
    resize: toggle(
      "resizes the images to the network's resolution; images in files are always cropped to it",
    ),
    device: DEVICE_FLAG,
  },
  examples: [
    [
      'splitgrow eval --network runs/demo/best --data fashion-mnist',
      'on the images that come with splitgrow',
    ],
    [
      'splitgrow eval --network runs/k3/stage-3 --data cifar10 --root data/cifar10 --json',
      'on a dataset in a folder',
    ],
    [
      'splitgrow eval --network runs/photos/best --data image-folder --root photos --part all',
      'on every image of a folder',
    ],
  ],
  run: async (given, { control }) => {
    const { network, data, root, part, labels, classesBy, shortSide, whole, images } = given;
    const { batchSize, resize, device, threads } = given;
    if (images !== undefined && part === 'all')
      throw new SplitgrowError(
        'E_USAGE',
        '--images: expected with one part, got --part all; leave one of them out',
      );
    const isFile = data.endsWith('.safetensors');
    const source = isFile ? { file: data } : { name: data, root, whole, ...(labels && { labels }) };
    if (isFile && labels !== undefined)
      throw new SplitgrowError('E_USAGE', '--labels: expected only with cifar100; leave it out');
    const ofNamed = root !== undefined ? '--root' : whole ? '--whole' : null;
    if (isFile && ofNamed !== null)
      throw new SplitgrowError(
        'E_USAGE',
        `${ofNamed}: expected only with a dataset by its name; leave it out`,
      );
    const limit = part === 'train' ? 'trainImages' : 'testImages';
    const document = await evaluate(
      {
        network,
        data: parseData({
          ...{ ...source, ...imageFields(given, data), ...(classesBy && { classesBy }) },
          [limit]: images ?? null,
        }),
        ...{ part, batch: batchSize, resize, shortSide, device, threads },
      },
      control,
    );
    const { top1, top5, loss } = document;
    return {
      document,
      text: (style) =>
        facts(
          [
            ['top-1', `${decimal(top1, 2)} %`],
            ['top-5', `${decimal(top5, 2)} %`],
            ['loss', decimal(loss, 4)],
            ['images', `${integer(document.images)} (${document.part})`],
          ],
          style,
        ),
    };
  },
});
