// The `data` part of an experiment: which images, how many, and how they are augmented.
import { z } from 'zod';
import { IMAGE_DEFAULTS, shortSideOf } from '../data/images/settings.js';

/** Datasets whose images are files: class folders, or a store packed from them. */
const IMAGE_NAMES: readonly string[] = ['imagenet', 'image-folder'];
const NAMES = z.enum(['fashion-mnist', 'cifar10', 'cifar100', 'imagenet', 'image-folder']);

const limit = z.int().min(1).nullable().default(null);
const whole = z.boolean().default(false);
const augmentation = z.array(z.enum(['flip', 'crop']));

const COMMON = {
  /** Images used of each part, null: all. The first ones, or of image files so many that classes are even. */
  trainImages: limit,
  testImages: limit,
  /** A new order every epoch. */
  shuffle: z.boolean().default(true),
};

const IN_MEMORY = {
  ...COMMON,
  /** Pixels of zero padding before `crop` takes a part of the original size. */
  cropPadding: z.int().min(0).default(4),
};

/** A named dataset, found in `root`, or where `splitgrow data get` puts it. Mirroring and shifting are the paper's augmentation. */
export const DATA_NAMED = z
  .strictObject({
    name: NAMES,
    root: z.string().min(1).optional(),
    /** Only every image of the official set will do. */
    whole,
    augment: augmentation.default(['flip', 'crop']),
    /** Which labels of cifar100. */
    labels: z.enum(['fine', 'coarse']).optional(),
    ...IN_MEMORY,
  })
  .refine((value) => value.labels === undefined || value.name === 'cifar100', {
    path: ['labels'],
    message: 'expected only with cifar100',
  });

/** A safetensors file with train_images, train_labels, test_images, test_labels; no augmentation unless asked for. */
export const DATA_FILE = z.strictObject({
  file: z.string().min(1),
  augment: augmentation.default([]),
  ...IN_MEMORY,
});

const threeOf = (each: z.ZodNumber) => z.array(each).length(3);
const defaults = IMAGE_DEFAULTS;

/** Image files below `root`, or in a store packed from them. */
export const DATA_IMAGES = z
  .strictObject({
    name: NAMES,
    root: z.string().min(1).optional(),
    store: z.string().min(1).optional(),
    whole,
    resolution: z.int().min(1).max(4096).default(defaults.resolution),
    /**
     * flip: mirror every other image. resized-crop: a random part of random area and shape, brought to the resolution
     * (Szegedy et al. 2015). shift: the shorter side to `shortSide`, then a random square of the resolution.
     */
    augment: z.array(z.enum(['flip', 'resized-crop', 'shift'])).default(['flip', 'resized-crop']),
    /** Least share of an image's area that resized-crop takes. */
    leastArea: z.number().gt(0).max(1).default(0.08),
    shortSide: z.int().min(1).max(8192).nullable().default(defaults.shortSide),
    mean: threeOf(z.number()).default([...defaults.mean]),
    std: threeOf(z.number().gt(0)).default([...defaults.std]),
    testShare: z.number().gt(0).lt(1).default(defaults.testShare),
    workers: z.int().min(1).max(1024).nullable().default(defaults.workers),
    prefetch: z.int().min(1).max(64).default(defaults.prefetch),
    maxPixels: z.int().min(1).max(1_000_000_000).default(defaults.maxPixels),
    maxScans: z.int().min(1).max(10_000).default(defaults.maxScans),
    scaledDecoding: z.boolean().default(defaults.scaledDecoding),
    skipUnreadable: z.boolean().default(defaults.skipUnreadable),
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
  });

export type DataSpec =
  | z.output<typeof DATA_NAMED>
  | z.output<typeof DATA_FILE>
  | z.output<typeof DATA_IMAGES>;
/** The `data` part as it is written, defaults left out. */
export type DataInput = z.input<typeof DATA_NAMED> | z.input<typeof DATA_FILE> | z.input<typeof DATA_IMAGES>;

/** The variant of `data` that a value belongs to, by its own key or by its name. */
export function dataSchema(value: unknown): z.ZodType<DataSpec> {
  const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  if ('file' in given) return DATA_FILE;
  return IMAGE_NAMES.includes(String(given.name)) ? DATA_IMAGES : DATA_NAMED;
}
