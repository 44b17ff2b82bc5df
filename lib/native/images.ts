// The typed face of the native image code: headers, packed stores, and datasets that are decoded as they are read.

import { openJpeg } from '../machine/libtorch/jpeg.js';
import {
  type AbortHandle,
  type Core,
  type DatasetHandle,
  type Device,
  loadCore,
  type TensorData,
} from './core.js';

/** Files of one part of a dataset. */
export interface ImageFiles {
  readonly root: string;
  /** Relative to `root`, without NUL. */
  readonly paths: readonly string[];
  /** One class a path. */
  readonly labels: Int32Array;
}

/** What a file's first bytes say it is, whatever its name. */
export const IMAGE_KINDS = { unreadable: 0, jpeg: 1, png: 2 } as const;

/** Limits that a file has to keep before a pixel of it is decoded. */
export interface ImageLimits {
  /** Width times height. */
  readonly maxPixels: number;
  /** Scans of a progressive JPEG. */
  readonly maxScans: number;
}

export interface ImageProblem {
  /** Position in `paths`. */
  readonly index: number;
  readonly reason: string;
}

/** What the headers say, one entry a file. */
export interface ImageHeaders {
  /** A value of IMAGE_KINDS; `unreadable` ones are told of in `problems`, and their other entries are 0. */
  readonly kinds: Uint8Array;
  /** As stored, before the orientation is applied. */
  readonly widths: Int32Array;
  readonly heights: Int32Array;
  /** Bytes of the file. */
  readonly bytes: Float64Array;
  /** EXIF's 1 to 8. */
  readonly orientations: Uint8Array;
  /** 1 grey, 2 grey and alpha, 3 colours, 4 CMYK, YCCK or colours and alpha. */
  readonly channels: Uint8Array;
  readonly problems: readonly ImageProblem[];
  /** Files that were decoded although the decoder warns of them, as Pillow and PyTorch do without a word. */
  readonly warnings: readonly ImageProblem[];
}

export interface ScanOptions extends ImageLimits {
  readonly threads: number;
  /** Decode every image as well: finds truncated and damaged ones. */
  readonly decode: boolean;
}

/** A part of a packed store, in the order of its files. */
export interface StorePart {
  readonly name: string;
  readonly files: ImageFiles;
}

export interface PackOptions extends ImageLimits {
  /** Path of the store; written beside it until it is whole. */
  readonly store: string;
  readonly classNames: readonly string[];
  /** Images whose shorter side is longer are made smaller; null: the files' bytes as they are. */
  readonly shortSide: number | null;
  /** JPEG quality of images that are encoded anew, 1 to 100. */
  readonly quality: number;
  readonly threads: number;
}
export interface PackResult {
  readonly images: number;
  /** Bytes of the store. */
  readonly bytes: number;
  /** Images that an interrupted run had packed already. */
  readonly resumed: number;
  /** Files left out; `part` is a position in the parts given. */
  readonly problems: readonly (ImageProblem & { readonly part: number })[];
}

export interface StoreInfo {
  readonly parts: readonly { readonly name: string; readonly images: number }[];
  readonly classNames: readonly string[];
  readonly shortSide: number | null;
  readonly quality: number;
  readonly bytes: number;
}
export interface VerifyResult {
  readonly images: number;
  readonly bytes: number;
  /** Position counted over all parts; the stored name is in the reason. */
  readonly problems: readonly ImageProblem[];
}

export type ImageSource =
  | { readonly files: ImageFiles }
  /** `chosen`: these images of the part, in this order; absent: all. */
  | {
      readonly store: string;
      readonly part: string;
      readonly chosen?: Int32Array | undefined;
      /** Classes of those images, one an image; absent: the store's own. */
      readonly labels?: Int32Array | undefined;
    };

export interface ImageDatasetOptions extends ImageLimits {
  /** Height and width of what the network sees. */
  readonly resolution: number;
  readonly classes: number;
  /** Of pixels / 255: three numbers each; or one, and the images are seen as their Rec. 601 luma. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly device: Device;
  /** Threads that read and decode. */
  readonly workers: number;
  /** Minibatches kept ready ahead of the trainer. */
  readonly prefetch: number;
  /** Evaluation and shifting: images are brought to this shorter side before the crop. */
  readonly shortSide: number;
  /** Let the JPEG decoder halve (quarter, ...) where no less than what is wanted is left. */
  readonly scaledDecoding: boolean;
  /**
   * Leave an image that cannot be decoded out of its minibatch, and of every mean, instead of failing with E_DATA. A pass
   * of which none can be decoded fails all the same.
   */
  readonly skipUnreadable: boolean;
}

/** Szegedy et al. 2015, as torchvision's RandomResizedCrop. */
export interface ResizedCrop {
  /** Least share of the image's area; the most is 1. */
  readonly leastArea: number;
  readonly leastRatio: number;
  readonly mostRatio: number;
}

/** How images from files are augmented, beside `flip`: options of train() and recalibrate(). Neither: one centre crop. */
export interface ImageAugment {
  readonly resizedCrop?: ResizedCrop | undefined;
  /** Shorter side to `shortSide`, then a random crop of the resolution. */
  readonly shift?: boolean | undefined;
}

/** What the loader of a pass over an image dataset did so far. */
export interface LoaderStats {
  /** Images decoded by this rank. */
  readonly decoded: number;
  /** Images left out because they could not be decoded, by this rank. */
  readonly skipped: number;
  /** The first image left out, with its reason. */
  readonly firstSkipped?: string | undefined;
  /** Images decoded although the decoder warns of them, by this rank. */
  readonly warned: number;
  /** The first image that the decoder warns of, with its warning. */
  readonly firstWarned?: string | undefined;
  /** Sum over the workers. */
  readonly decodeSeconds: number;
  /** Seconds that the trainer waited for images. */
  readonly waited: number;
}

/** What one pass over images alone gave, of this rank. */
export interface SweepResult extends LoaderStats {
  readonly images: number;
  readonly seconds: number;
  /** float32 [images, C, R, R], normalised, in the order of the pass, and int64 [images]; absent unless kept. */
  readonly kept?: { readonly images: TensorData; readonly labels: TensorData } | undefined;
}

export interface ImageProgress {
  readonly phase: 'scan' | 'pack' | 'verify';
  /** Images done and in all. */
  readonly done: number;
  readonly total: number;
  readonly images: number;
  readonly seconds: number;
}
export type OnImageProgress = (progress: ImageProgress) => void;

/** What native/core exports for images. Everything that returns a promise runs on threads of its own. */
export interface ImageCore {
  /** Opens libturbojpeg, once a process; later calls do nothing. Throws E_IMAGES with the reason. */
  openJpeg(path: string): void;
  /** Reads every file's header, and the image itself where `decode` is set. Bad files are problems, never errors. */
  scanImages(
    files: ImageFiles,
    options: ScanOptions,
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<ImageHeaders>;
  /** Writes a store, or goes on with one that was interrupted; the same bytes for any number of threads. E_WRITE. */
  packImages(
    parts: readonly StorePart[],
    options: PackOptions,
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<PackResult>;
  /** What a store holds. Throws E_DATA where it is malformed or cut short, E_FILE where it cannot be read. */
  readStore(path: string): StoreInfo;
  /** Labels of a part, for choosing or counting classes. */
  readStoreLabels(path: string, part: string): Int32Array;
  /** Compares every image's checksum. */
  verifyStore(
    path: string,
    options: { readonly threads: number },
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<VerifyResult>;
  /** A dataset whose images are decoded in every pass. Throws E_DATA, E_LABELS, E_FILE, E_IMAGES. */
  createImageDataset(source: ImageSource, options: ImageDatasetOptions): DatasetHandle;
  /** uint8 [C, R, R], C as the dataset has numbers of mean: an image as evaluation sees it, before normalisation. */
  imageAt(data: DatasetHandle, index: number): Promise<TensorData>;
  /** One pass's images without a network, as fast as they come: what the loader alone can do. */
  sweepImages(
    data: DatasetHandle,
    options: ImageAugment & {
      readonly batch: number;
      readonly shuffle: boolean;
      readonly flip: boolean;
      readonly seed: number;
      /** First minibatch, and how many are read; null: all that follow. */
      readonly start?: number | undefined;
      readonly steps: number | null;
      /** Hand the images out too. */
      readonly keep?: boolean | undefined;
    },
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<SweepResult>;
}

/** The native core with the JPEG decoder opened: call it before anything of ImageCore. Throws E_IMAGES. */
export function loadImageCore(): Core {
  const core = loadCore();
  openJpeg((path) => core.openJpeg(path));
  return core;
}
