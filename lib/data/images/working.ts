// Native calls on images under a RunControl.

import { underControl } from '../../native/control.js';
import type { Phase, RunControl } from '../../native/events.js';
import type { AbortHandle, OnImageProgress } from '../../native/face.js';

/** Runs a call. Its progress becomes events of `phase`, without a loss. */
export function working<R>(
  control: RunControl,
  phase: Phase,
  call: (progress: OnImageProgress | null, abort: AbortHandle) => Promise<R>,
): Promise<R> {
  return underControl(control, { stage: 0, phase, epoch: 0, epochs: 1 }, (progress, abort) =>
    call(progress && ((reported) => progress({ ...reported, loss: Number.NaN })), abort),
  );
}
