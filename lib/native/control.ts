// Connects a RunControl to a native call: AbortSignal to abort handle, native progress to run events.

import { SplitgrowError } from '../errors.js';
import { readRanks } from '../machine/launchers.js';
import type { Phase, RunControl, RunEvent } from './events.js';
import type { AbortHandle, OnProgress, PauseHandle } from './face.js';
import { loadCore } from './load.js';

/** Where a native call stands in the run, for its progress events. */
export interface Place {
  readonly stage: number;
  readonly phase: Phase;
  readonly epoch: number;
  readonly epochs: number;
}

export const NOWHERE = { stage: 0, epoch: 0, epochs: 1 } as const;

/** @throws E_ABORTED when the signal has fired */
export function refuseAborted(control: RunControl): void {
  if (control.signal?.aborted === true) throw new SplitgrowError('E_ABORTED', 'the work was aborted');
}

/** Emits a note. */
export function note(control: RunControl, stage: number, phase: Phase, text: string): void {
  control.onEvent?.({ type: 'note', stage, phase, text });
}

/** When work is to pause so that it can be kept. */
export interface Pauses {
  /** In so many milliseconds; null: not at all. */
  readonly dueIn: () => number | null;
}

/** The longest that a timer takes. */
const MOST_MS = 2 ** 31 - 1;

/**
 * Runs a native call that reports progress and can be aborted. A listener that
 * throws aborts the call, and its error is thrown here.
 */
export async function underControl<Result>(
  control: RunControl,
  place: Place,
  call: (progress: OnProgress | null, abort: AbortHandle) => Promise<Result>,
): Promise<Result> {
  return watched(control, place, (progress, abort) => call(progress, abort), null);
}

/** The same for a call that can be paused: when that is due, and instead of being aborted when the signal fires. */
export async function underPauses<Result>(
  control: RunControl,
  place: Place,
  pauses: Pauses,
  call: (progress: OnProgress | null, abort: AbortHandle, pause: PauseHandle) => Promise<Result>,
): Promise<Result> {
  // Of several ranks none ends alone: the call itself agrees on the end.
  if (readRanks() === null) refuseAborted(control);
  const core = loadCore();
  using pause = core.createPause();
  const due = pauses.dueIn();
  const timer =
    due === null ? undefined : setTimeout(() => core.pause(pause, 'checkpoint'), Math.min(due, MOST_MS));
  try {
    return await watched(
      control,
      place,
      (progress, abort) => call(progress, abort, pause),
      () => core.pause(pause, 'stop'),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Gives back the handles in a result that nobody gets. */
function discard(result: unknown): void {
  for (const one of Object.values(Object(result)))
    if (typeof one === 'object' && one !== null && 'dispose' in one && typeof one.dispose === 'function')
      one.dispose();
}

/** `onAbort`: what the signal does; null: it aborts the call. */
async function watched<Result>(
  control: RunControl,
  place: Place,
  call: (progress: OnProgress | null, abort: AbortHandle) => Promise<Result>,
  onAbort: (() => void) | null,
): Promise<Result> {
  if (readRanks() === null) refuseAborted(control);
  const core = loadCore();
  const abort = core.createAbort();
  const stop = (): void => core.abort(abort);
  const onSignal = onAbort ?? stop;
  const thrown: unknown[] = [];
  const emit = (event: RunEvent): void => {
    try {
      control.onEvent?.(event);
    } catch (error) {
      thrown.push(error);
      stop();
    }
  };
  const progress: OnProgress | null =
    control.onEvent === undefined
      ? null
      : (reported) => emit({ type: 'progress', ...place, progress: reported });
  control.signal?.addEventListener('abort', onSignal, { once: true });
  if (control.signal?.aborted === true) onSignal();
  try {
    const result = await call(progress, abort);
    if (thrown.length === 0) return result;
    discard(result);
    throw thrown[0];
  } catch (error) {
    throw thrown.length > 0 ? thrown[0] : error;
  } finally {
    control.signal?.removeEventListener('abort', onSignal);
    abort.dispose();
  }
}
