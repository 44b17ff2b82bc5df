// splitgrow eval: top-1, top-5 and loss of a network on a dataset's test images.
import { evaluate } from '../api.js';
import { parseData } from '../experiment/spec.js';
import { decimal, integer } from '../format.js';
import { defineCommand } from './command.js';
import { integer as count, required, text, toggle, withDefault } from './flags.js';
import { DEVICE_FLAG, DIRECTORY_FLAG } from './networks.js';
import { facts } from './table.js';

export const EVAL = defineCommand({
  name: 'eval',
  summary: 'top-1, top-5 and loss of a network on the test images of a dataset',
  flags: {
    network: DIRECTORY_FLAG,
    data: required(
      text('NAME', 'fashion-mnist, cifar10, cifar100, imagenet, image-folder, or a .safetensors file'),
    ),
    root: text('DIR', "the dataset's folder"),
    store: text('FILE', 'of imagenet and image-folder: a store made by data pack instead of the folder'),
    shortSide: count(
      'N',
      "of images in files: their shorter side before the centre crop (default: the network's own, else 256 at 224)",
      {
        min: 1,
      },
    ),
    whole: toggle('only the whole official set will do; fashion-mnist: the one that data get fetched'),
    images: count('N', 'only the first N test images', { min: 1 }),
    batchSize: withDefault(count('N', 'images a minibatch', { min: 1 }), 256),
    resize: toggle(
      "resizes the images to the network's resolution; images in files are always cropped to it",
    ),
    device: DEVICE_FLAG,
  },
  examples: [
    [
      'splitgrow eval --network runs/demo/stage-3 --data fashion-mnist',
      'on the images that come with splitgrow',
    ],
    [
      'splitgrow eval --network runs/k3/stage-3 --data cifar10 --root data/cifar10 --json',
      'on a dataset in a folder',
    ],
  ],
  run: async (given, { control }) => {
    const { network, data, root, store, shortSide, whole, images, batchSize, resize, device, threads } =
      given;
    const isFile = data.endsWith('.safetensors');
    const source = isFile ? { file: data } : { name: data, root, whole, ...(store && { store }) };
    const document = await evaluate(
      {
        network,
        data: parseData({ ...source, testImages: images ?? null }),
        batch: batchSize,
        resize,
        shortSide,
        device,
        threads,
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
            ['images', integer(document.images)],
          ],
          style,
        ),
    };
  },
});
