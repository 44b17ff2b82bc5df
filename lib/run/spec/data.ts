// The `data` part of an experiment: which images, how many, and how they are augmented.
import { z } from 'zod';
import { IMAGE_DEFAULTS, shortSideOf } from '../../data/images/settings.js';
import { GIVEN, having, never, where } from './conditions.js';
import { nothing, part, place, weights } from './effects.js';

/** Datasets whose images are files: class folders, or a store packed from them. */
const IMAGE_NAMES = ['imagenet', 'image-folder'] as const;
const MEMORY_NAMES = ['fashion-mnist', 'cifar10', 'cifar100'] as const;
const NAMES = [...MEMORY_NAMES, ...IMAGE_NAMES] as const;

/** One of these names; where it is another, the message proposes all of them. */
const name = <N extends string>(names: readonly N[]) =>
  z
    .enum(NAMES)
    .describe(`the dataset: ${NAMES.map((one) => `\`${one}\``).join(', ')}`)
    .meta({ enum: [...names] }) as unknown as z.ZodEnum<{ [K in N]: K }>;
const root = z
  .string()
  .min(1)
  .optional()
  .describe('folder of a named dataset; none: where `data get` puts it');
const whole = z
  .boolean()
  .default(false)
  .describe('refuses an incomplete dataset; `fashion-mnist`: the fetched images, not the shipped ones');
// resized-crop: a random part of random area and shape, brought to the resolution (Szegedy et al. 2015). shift: the
// shorter side to `shortSide`, then a random square of the resolution.
const AUGMENT =
  'list of `flip` (mirror) and `crop` (shift), `[]` with `data.file`; for image files `flip` with `resized-crop`, the default, or with `shift`';
const augmentation = z.array(z.enum(['flip', 'crop']));

const COMMON = {
  trainImages: weights(
    z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('how many training images: the first ones, of image files evenly by class; null: all'),
  ),
  testImages: weights(z.int().min(1).nullable().default(null).describe('how many test images, likewise')),
  validation: weights(
    z
      .number()
      .min(0)
      .refine((asked) => asked < 1 || Number.isInteger(asked), 'expected a share below 1, or a whole number')
      .optional()
      .describe(
        'training images set apart, by class and seed, for all that chooses: a share below 1, or a count; left out: a tenth for `cifar10`, `cifar100`, `image-folder` and wherever something chooses, 10,000 of the whole `imagenet`, else 0',
      ),
  ),
  shuffle: weights(z.boolean().default(true).describe('a new order every epoch')),
  classesBy: weights(
    z
      .enum(['name', 'number'])
      .optional()
      .describe(
        'how classes are matched to those that the network names: by `name` (so without it), or by `number`',
      ),
  ),
};

const IN_MEMORY = {
  ...COMMON,
  cropPadding: weights(z.int().min(0).default(4).describe('pixels of zero padding before `crop`')),
};

/** A named dataset, found in `root`, or where `splitgrow data get` puts it. Mirroring and shifting are the paper's augmentation. */
export const DATA_NAMED = part({
  name: weights(name(MEMORY_NAMES)),
  root: place(root),
  whole: weights(whole),
  augment: weights(augmentation.default(['flip', 'crop']).describe(AUGMENT)),
  labels: weights(z.enum(['fine', 'coarse']).optional().describe('`fine` or `coarse`, of `cifar100`')),
  ...IN_MEMORY,
})
  .refine((value) => value.labels === undefined || value.name === 'cifar100', {
    path: ['labels'],
    message: 'expected only with cifar100',
  })
  .meta(where({ labels: GIVEN }, having({ name: { const: 'cifar100' } })));

/** A safetensors file with train_images, train_labels, test_images, test_labels; no augmentation unless asked for. */
export const DATA_FILE = part({
  file: place(z.string().min(1).describe('a safetensors file'), { isContent: true }),
  augment: weights(augmentation.default([]).describe(AUGMENT)),
  ...IN_MEMORY,
});

/** Three numbers, or one for images that a network sees as their luma. */
const perChannel = (each: z.ZodNumber) =>
  z
    .array(each)
    .min(1)
    .max(3)
    .refine((list) => list.length !== 2, 'expected three numbers, or one for grey images')
    .meta({ not: { minItems: 2, maxItems: 2 } });
const defaults = IMAGE_DEFAULTS;

/** Image files below `root`, or in a store packed from them. */
export const DATA_IMAGES = part({
  name: weights(name(IMAGE_NAMES)),
  root: place(root),
  store: place(z.string().min(1).optional().describe('image files: a packed store instead of `data.root`'), {
    isContent: true,
    remedy: 'images are read from there',
    suitsFinished: true,
  }),
  whole: weights(whole),
  resolution: weights(
    z
      .int()
      .min(1)
      .max(4096)
      .default(defaults.resolution)
      .describe('image files: height and width of the input'),
  ),
  augment: weights(
    z
      .array(z.enum(['flip', 'resized-crop', 'shift']))
      .default(['flip', 'resized-crop'])
      .describe(AUGMENT),
  ),
  leastArea: weights(
    z.number().gt(0).max(1).default(0.08).describe('of `resized-crop`: least share of the image'),
  ),
  shortSide: weights(
    z
      .int()
      .min(1)
      .max(8192)
      .nullable()
      .default(defaults.shortSide)
      .describe(
        'image files: shorter side in pixels before a centre crop or `shift`; null: 256 / 224 of `resolution`',
      ),
  ),
  mean: weights(
    perChannel(z.number())
      .default([...defaults.mean])
      .describe('image files: mean of pixels / 255; one number: the network sees luma'),
  ),
  std: weights(
    perChannel(z.number().gt(0))
      .default([...defaults.std])
      .describe('image files: standard deviation, likewise'),
  ),
  testShare: weights(
    z
      .number()
      .gt(0)
      .lt(1)
      .default(defaults.testShare)
      .describe('image files: share kept for testing when the folder has no test part'),
  ),
  testPart: weights(
    z
      .enum(['val', 'test'])
      .optional()
      .describe('image files: folder for testing, `val` (first choice) or `test`'),
  ),
  followLinks: weights(
    z.boolean().optional().describe('image files: follow links that lead out of the folder'),
  ),
  workers: nothing(
    z
      .int()
      .min(1)
      .max(1024)
      .nullable()
      .default(defaults.workers)
      .describe('image files: threads that decode; null: as many as compute'),
    { isPerMachine: true },
  ),
  prefetch: nothing(
    z.int().min(1).max(64).default(defaults.prefetch).describe('image files: minibatches kept ready'),
    { isPerMachine: true },
  ),
  maxPixels: weights(
    z
      .int()
      .min(1)
      .max(1_000_000_000)
      .default(defaults.maxPixels)
      .describe('image files: larger images are left out'),
  ),
  maxScans: weights(
    z
      .int()
      .min(1)
      .max(10_000)
      .default(defaults.maxScans)
      .describe('image files: progressive JPEGs with more scans are left out'),
  ),
  scaledDecoding: weights(
    z
      .boolean()
      .default(defaults.scaledDecoding)
      .describe('image files: let the JPEG decoder shrink large images'),
  ),
  skipUnreadable: weights(
    z
      .boolean()
      .default(defaults.skipUnreadable)
      .describe('image files: leave out unreadable images instead of failing'),
    {
      remedy: 'an image that turns unreadable is left out of its minibatch, or ends the run',
      suitsFinished: true,
    },
  ),
  ...COMMON,
})
  .refine(({ root, store }) => root === undefined || store === undefined, {
    path: ['store'],
    message: 'expected data.root or data.store, not both',
  })
  .refine(({ augment }) => !(augment.includes('resized-crop') && augment.includes('shift')), {
    path: ['augment'],
    message: 'expected resized-crop or shift, not both',
  })
  .refine((data) => shortSideOf(data) >= data.resolution, {
    path: ['shortSide'],
    message: 'expected no less than data.resolution',
  })
  .meta({
    allOf: [
      never({ root: GIVEN, store: GIVEN }),
      never({ augment: { allOf: ['resized-crop', 'shift'].map((one) => ({ contains: { const: one } })) } }),
    ],
  });

/** The `data` part of an experiment, checked: a named dataset, a file, or images in files. */
export type DataSpec =
  | z.output<typeof DATA_NAMED>
  | z.output<typeof DATA_FILE>
  | z.output<typeof DATA_IMAGES>;
/** The variant of `data` that a value belongs to, by its own key or by its name. */
export function dataSchema(value: unknown): z.ZodType<DataSpec> {
  const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  if ('file' in given) return DATA_FILE;
  return IMAGE_NAMES.some((one) => one === given.name) ? DATA_IMAGES : DATA_NAMED;
}
