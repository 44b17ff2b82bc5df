// The `data` part of an experiment: which images, how many, and how they are augmented.
import { z } from 'zod';

const limit = z.int().min(1).nullable().default(null);
const augmentation = z.array(z.enum(['flip', 'crop']));

const COMMON = {
  /** Images used of each part, the first ones; null: all. */
  trainImages: limit,
  testImages: limit,
  /** A new order every epoch. */
  shuffle: z.boolean().default(true),
  /** Pixels of zero padding before `crop` takes a part of the original size. */
  cropPadding: z.int().min(0).default(4),
};

/** A named dataset, found in `root`, or where `splitgrow data get` puts it. Mirroring and shifting are the paper's augmentation. */
export const DATA_NAMED = z
  .strictObject({
    name: z.enum(['fashion-mnist', 'cifar10', 'cifar100', 'imagenet', 'image-folder']),
    root: z.string().min(1).optional(),
    /** Only every image of the official set will do. */
    whole: z.boolean().default(false),
    augment: augmentation.default(['flip', 'crop']),
    /** Which labels of cifar100. */
    labels: z.enum(['fine', 'coarse']).optional(),
    ...COMMON,
  })
  .refine((value) => value.labels === undefined || value.name === 'cifar100', {
    path: ['labels'],
    message: 'expected only with cifar100',
  });

/** A safetensors file with train_images, train_labels, test_images, test_labels; no augmentation unless asked for. */
export const DATA_FILE = z.strictObject({
  file: z.string().min(1),
  augment: augmentation.default([]),
  ...COMMON,
});
