// One epoch. It pauses between minibatches when a checkpoint is due, and goes on while the copy is written. Also the numbers
// of the loader of its images.

import { noteLoader } from '../../data/images/loader-notes.js';
import type { LoaderStats, TensorEntries, TrainOptions, TrainResult } from '../../native/face.js';
import { integer, percent } from '../../statistics/format.js';
import { fitEpoch } from '../../train/fit.js';
import type { Network } from '../../train/network.js';
import type { LoaderRecord, StateRecord } from '../store/records.js';
import { type Extras, snapshotOf } from '../store/snapshot.js';
import { type SnapshotWriter, stopped } from '../store/snapshot-writer.js';
import type { Session } from './session.js';

export interface Epoch {
  /** Where the run stands: before this epoch, or within it. */
  readonly state: StateRecord;
  readonly extras: Extras;
  readonly epochs: number;
  readonly options: TrainOptions;
  /** Computed from the weights before the epoch; not called for an epoch that has begun. */
  readonly penalties: () => TensorEntries;
}

/** Adds up what a loader did in several slices of an epoch. */
function together(a: LoaderStats | undefined, b: LoaderStats | undefined): LoaderStats | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    decoded: a.decoded + b.decoded,
    skipped: a.skipped + b.skipped,
    firstSkipped: a.firstSkipped ?? b.firstSkipped,
    // Snapshots of earlier versions lack them.
    warned: (a.warned ?? 0) + b.warned,
    firstWarned: a.firstWarned ?? b.firstWarned,
    decodeSeconds: a.decodeSeconds + b.decodeSeconds,
    waited: a.waited + b.waited,
  };
}

const entriesOf = (extras: Extras, name: keyof Extras): TensorEntries => [...(extras[name] ?? [])];

/**
 * The rest of the epoch that `state` stands before or within: the same bits as without a pause. @throws E_ABORTED once a stop is kept
 */
export async function fitKept(
  session: Session,
  network: Network,
  { state, extras, epochs, options, penalties }: Epoch,
  snapshots: SnapshotWriter,
): Promise<TrainResult> {
  const { stage, epoch, within } = state;
  const isWithin = within?.phase === 'fit';
  const fixed = { ...options, penalties: isWithin ? entriesOf(extras, 'penalties') : penalties() };
  let next = isWithin ? within.done : 0;
  let sums = isWithin ? entriesOf(extras, 'epoch') : [];
  let seconds = isWithin ? within.seconds : 0;
  let loader = isWithin ? within.loader : undefined;
  for (;;) {
    const result = await fitEpoch(
      network,
      session.train,
      { ...fixed, ...(next > 0 && { start: next, state: sums }) },
      { control: session.control, where: { stage, epoch, epochs }, pauses: snapshots },
    );
    seconds += result.seconds;
    loader = together(loader, result.loader);
    if (result.paused === null) {
      const whole = { ...result, seconds, loader };
      noteLoader(session.control, { stage, phase: 'fit' }, session.train, whole);
      return whole;
    }
    next = result.next;
    sums = [...result.state];
    const within = { phase: 'fit', done: next, seconds, ...(loader && { loader }) } as const;
    const kept = { epoch: new Map(sums), penalties: new Map(fixed.penalties) };
    await snapshots.offer(snapshotOf(network, { ...state, within }, kept));
    if (result.paused === 'checkpoint') continue;
    await snapshots.settle();
    throw stopped(`after minibatch ${next} of epoch ${epoch + 1} of stage ${stage}`);
  }
}

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
