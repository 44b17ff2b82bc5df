// What an epoch tells of the loader of its images, where they are decoded from files.

import type { TrainResult } from '../../native/core.js';
import { integer, percent } from '../../statistics/format.js';
import type { LoaderRecord } from '../store/records.js';

/** The loader's part of an epoch's record; nothing where images are in memory. */
export function loaderRecord({
  loader,
  seconds,
  skipped,
}: Pick<TrainResult, 'loader' | 'seconds' | 'skipped'>): {
  readonly loader?: LoaderRecord;
} {
  if (loader === undefined) return {};
  const per = (count: number, time: number): number => (time > 0 ? count / time : 0);
  return {
    loader: {
      imagesPerSecond: per(loader.decoded, seconds),
      imagesPerWorkerSecond: per(loader.decoded, loader.decodeSeconds),
      waitedShare: per(loader.waited, seconds),
      skipped,
    },
  };
}

/** Words for the epoch's line, with a comma in front; none where there is no loader. */
export function loaderWords({ loader }: { readonly loader?: LoaderRecord | undefined }): string {
  if (loader === undefined) return '';
  const skipped = loader.skipped > 0 ? `, ${integer(loader.skipped)} unreadable images skipped` : '';
  return `, ${integer(loader.imagesPerSecond)} images/s, ${percent(loader.waitedShare)} of the time spent waiting for them${skipped}`;
}
