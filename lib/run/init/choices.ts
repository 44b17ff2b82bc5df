// What a starting experiment can be made of: datasets with what is known of their images, efforts, and how presets start.
import type { PresetOptions } from '../../models/zoo.js';

/** The data that a starting experiment may name. */
export type InitData = 'fashion-mnist' | 'cifar10' | 'cifar100' | 'imagenet' | 'image-folder';
/** `quick`: a few minutes, to see it work; `full`: a whole recipe. */
export type Effort = 'quick' | 'full';

/** What decides a recipe: the images, counted where they can be. */
export interface ImageFacts {
  readonly channels: number;
  /** Pixels a side that the network sees. */
  readonly resolution: number;
  readonly classes: number;
  /** For training. */
  readonly images: number;
  /** The median shorter side of a folder's images, in pixels, where it is known. */
  readonly shortSide?: number | undefined;
}

interface DataRow {
  readonly about: string;
  /** Named sets have their published numbers. For a folder of your own it is a guess until the folder is looked at. */
  readonly facts: ImageFacts;
  readonly preset: string;
  readonly effort: Effort;
  /** Images in files, found below `data.root`. */
  readonly isFolder: boolean;
  /** How to get the images, where no folder is given. */
  readonly fetch: string | null;
}

export const DATA: Readonly<Record<InitData, DataRow>> = {
  'fashion-mnist': {
    about: 'small grey images of clothes; a part ships with splitgrow',
    facts: { channels: 1, resolution: 28, classes: 10, images: 8_000 },
    preset: 'mobilenet_cifar10',
    effort: 'quick',
    isFolder: false,
    fetch: null,
  },
  cifar10: {
    about: 'small colour images of ten classes',
    facts: { channels: 3, resolution: 32, classes: 10, images: 50_000 },
    preset: 'mobilenet_cifar10',
    effort: 'full',
    isFolder: false,
    fetch: 'npx splitgrow data get cifar10',
  },
  cifar100: {
    about: 'small colour images of a hundred classes',
    facts: { channels: 3, resolution: 32, classes: 100, images: 50_000 },
    preset: 'mobilenet_cifar100',
    effort: 'full',
    isFolder: false,
    fetch: 'npx splitgrow data get cifar100',
  },
  imagenet: {
    about: 'photographs of a thousand classes, in folders',
    facts: { channels: 3, resolution: 224, classes: 1000, images: 1_281_167 },
    preset: 'mobilenet_v1',
    effort: 'full',
    isFolder: true,
    fetch: null,
  },
  'image-folder': {
    about: 'images of your own, in a folder a class',
    facts: { channels: 3, resolution: 128, classes: 10, images: 5_000 },
    preset: 'mobilenet_v1',
    effort: 'full',
    isFolder: true,
    fetch: null,
  },
};

export const EFFORTS: Readonly<Record<Effort, string>> = {
  quick: 'few short stages, to see a whole run',
  full: "the paper's schedule, or one that suits the number of images",
};

/** Factors on a whole network's widths, from 0.3 down. */
const FACTORS = [0.3, 0.25, 0.2, 0.15, 0.1, 0.05];

/** How a preset starts growth: narrow, with an activation that has a second derivative. */
export const STARTS: Readonly<Record<string, Start>> = {
  mobilenet_v1: { widths: FACTORS },
  // Its linear bottlenecks have no other curvature. The paper's authors do the same.
  mobilenet_v2: { widths: FACTORS, identityCurvature: 1 },
  resnet18: { widths: FACTORS.slice(1), forSmall: { stem: 'small' } },
  resnet50: { widths: FACTORS.slice(1), forSmall: { stem: 'small' } },
  mobilenet_cifar10: { options: { blocks: 3 }, widths: [8, 6, 4, 3, 2, 1] },
  mobilenet_cifar100: { widths: [1, 0.75, 0.5, 0.25] },
};

/** Share of a budget that the seed network may have, so that there is room to grow; where no width is that narrow, any that fits. */
export const SEED_SHARE = 1 / 3;

interface Start {
  readonly options?: PresetOptions;
  /** The first one is the usual; narrower ones follow for small budgets. */
  readonly widths: readonly number[];
  /** For images smaller than LARGE: the stem for larger images would drop most of their pixels. */
  readonly forSmall?: PresetOptions;
  readonly identityCurvature?: number;
}
export const LARGE = 128;
/** Folders of smaller images start from the preset for small images: it halves their sides less often. */
export const SMALL = { below: 96, preset: 'mobilenet_cifar10' } as const;

/** Resolution, minibatch and epochs of a stage (four times as many follow at the final size) for a folder of so many training images, the first row that holds them. */
export const FOLDERS: readonly {
  readonly upTo: number;
  readonly resolution: number;
  readonly batch: number;
  readonly epochs: number;
}[] = [
  { upTo: 2_000, resolution: 128, batch: 32, epochs: 20 },
  { upTo: 20_000, resolution: 128, batch: 64, epochs: 10 },
  { upTo: 200_000, resolution: 160, batch: 128, epochs: 5 },
  { upTo: Number.POSITIVE_INFINITY, resolution: 224, batch: 256, epochs: 3 },
];
