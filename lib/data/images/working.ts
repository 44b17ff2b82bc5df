// Native calls on images under a RunControl.
import type { Phase, RunControl } from '../../events.js';
import type { AbortHandle } from '../../native.js';
import type { OnImageProgress } from '../../native-images.js';
import { underControl } from '../../train/control.js';

/** Runs a call whose progress becomes events of `phase`; it has no loss to tell. */
export function working<R>(
  control: RunControl,
  phase: Phase,
  call: (progress: OnImageProgress | null, abort: AbortHandle) => Promise<R>,
): Promise<R> {
  return underControl(control, { stage: 0, phase, epoch: 0, epochs: 1 }, (progress, abort) =>
    call(progress && ((reported) => progress({ ...reported, loss: Number.NaN })), abort),
  );
}
