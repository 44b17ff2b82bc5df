// How images in files are found, decoded and cropped: the fields of `data` for imagenet and image-folder, and their defaults.
import type { TestPart } from './part-folders.js';

export interface ImageSettings {
  /** Path of a packed store (`splitgrow data pack`) instead of a root. */
  readonly store?: string | undefined;
  /** Height and width of what the network sees, in pixels. */
  readonly resolution: number;
  /** The shorter side, in pixels, that images are brought to before a centre crop or a shift; null: 256 / 224 of the resolution. */
  readonly shortSide: number | null;
  /** Per channel, of pixels / 255: three numbers, or one for images that are seen as their luma. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Share of a folder without a test part that is kept for testing. */
  readonly testShare: number;
  /** The folder that is used for testing; undefined: the one for validation, else the one for testing. */
  readonly testPart?: TestPart | undefined;
  /** How many classes must have images; undefined: two. */
  readonly leastClasses?: number | undefined;
  /** Follow links that lead out of the folder. */
  readonly followLinks: boolean;
  /** Threads that read and decode; null: as many as compute. */
  readonly workers: number | null;
  /** Minibatches that are kept ready. */
  readonly prefetch: number;
  /** Width times height that an image may have. */
  readonly maxPixels: number;
  /** Scans that a progressive JPEG may have. */
  readonly maxScans: number;
  /** Whether the JPEG decoder may shrink an image, as long as it stays at least as large as needed. */
  readonly scaledDecoding: boolean;
  /** Leave out an image that cannot be decoded, instead of failing. */
  readonly skipUnreadable: boolean;
}

/** The defaults. Mean and standard deviation are those of ImageNet, which published networks use. */
export const IMAGE_DEFAULTS: ImageSettings = {
  resolution: 224,
  shortSide: null,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  testShare: 0.1,
  followLinks: false,
  workers: null,
  prefetch: 3,
  maxPixels: 100_000_000,
  maxScans: 100,
  scaledDecoding: true,
  skipUnreadable: false,
};

/** 256 at 224 (Krizhevsky et al. 2012), and in proportion elsewhere. */
export function shortSideOf({ shortSide, resolution }: Sizes): number {
  return shortSide ?? Math.round((resolution * 256) / 224);
}

type Sizes = Pick<ImageSettings, 'resolution' | 'shortSide'>;

/** The settings at another resolution: the shorter side keeps its proportion to the resolution. */
export function sizesAt({ resolution: before, shortSide }: Sizes, resolution: number): Sizes {
  return { resolution, shortSide: shortSide === null ? null : Math.round((shortSide * resolution) / before) };
}

/** The shorter side that a network asks for (undefined: none), scaled to another resolution. */
export function shortSideAt(
  shortSide: number | undefined,
  { from, to }: { readonly from: number; readonly to: number },
): number | undefined {
  if (shortSide === undefined) return undefined;
  const isUsual = shortSide === shortSideOf({ shortSide: null, resolution: from });
  return shortSideOf(sizesAt({ shortSide: isUsual ? null : shortSide, resolution: from }, to));
}

/** The input channels of a new network: one if mean or deviation is one number, else three. */
export function channelsOf({ mean, std }: Pick<ImageSettings, 'mean' | 'std'>): 1 | 3 {
  return mean.length === 1 || std.length === 1 ? 1 : 3;
}

/** Shares of red, green and blue in Rec. 601 luma. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * Numbers of colours as those of so many channels: of luma for one. The mean of luma is the luma of the means; of deviations
 * it is what they are where colours vary together. Undefined where one number stands for three.
 */
export function numbersFor(channels: number, values: readonly number[]): readonly number[] | undefined {
  if (values.length === channels) return values;
  if (channels !== 1 || values.length !== LUMA.length) return undefined;
  return [LUMA.reduce((sum, share, at) => sum + share * (values[at] ?? 0), 0)];
}
