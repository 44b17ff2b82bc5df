// Says when a checkpoint is due, and writes snapshots one at a time while the work goes on.

import { isSplitgrowError, reasonOf, SplitgrowError } from '../../errors.js';
import { readRanks } from '../../machine/launchers.js';
import { note, type Pauses } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import type { Spec } from '../spec/spec.js';
import { writeCheckpoint } from './checkpoint.js';
import type { Snapshot } from './snapshot.js';

export interface SnapshotWriter extends Pauses {
  /**
   * Takes a snapshot as soon as the one before is written. If writing fails, the last good checkpoint stays, a note says so,
   * and the next snapshot is the next attempt.
   */
  readonly offer: (snapshot: Snapshot) => Promise<void>;
  /** Waits until everything is written. @throws E_WRITE where the last snapshot could not be */
  readonly settle: () => Promise<void>;
  /** Waits for the last write, and ignores its result. */
  readonly drain: () => Promise<void>;
}

type Write = (spec: Spec, snapshot: Snapshot) => Promise<void>;

/** The writer for one stage of a run. Of several ranks only rank 0 writes and asks for pauses. */
export function snapshotWriterOf(
  spec: Spec,
  control: RunControl,
  stage: number,
  write: Write = writeCheckpoint,
): SnapshotWriter {
  const isWriter = (readRanks()?.rank ?? 0) === 0;
  const period = spec.checkpoint.minutes * 60_000;
  // A clock that only goes forward: the machine's time of day may jump.
  let last = performance.now();
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  const attempt = async (snapshot: Snapshot): Promise<void> => {
    try {
      await write(spec, snapshot);
      failure = null;
    } catch (error) {
      failure = error;
      // The run has lost its output folder and is about to end.
      if (isSplitgrowError(error) && error.code === 'E_OUTPUT') return;
      const reason = reasonOf(error);
      note(
        control,
        stage,
        'checkpoint',
        `WARNING: no checkpoint was written, the one before stays, and the run goes on: ${reason}`,
      );
    }
  };
  return {
    dueIn: () => (isWriter && period > 0 ? Math.max(0, last + period - performance.now()) : null),
    offer: async (snapshot) => {
      last = performance.now();
      if (!isWriter) return;
      await writing;
      writing = attempt(snapshot);
    },
    settle: async () => {
      await writing;
      if (failure === null) return;
      throw failure instanceof SplitgrowError
        ? failure
        : new SplitgrowError('E_WRITE', `checkpoint of stage ${stage}: ${String(failure)}`, {
            cause: failure,
          });
    },
    drain: () => writing,
  };
}

/** The error that ends a run which was asked to stop and has kept all its work. */
export function stopped(place: string): SplitgrowError {
  return new SplitgrowError(
    'E_ABORTED',
    `stopped ${place}, where a checkpoint keeps it; the same command goes on from there`,
  );
}
