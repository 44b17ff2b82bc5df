// One run at a time in an output folder: a lease on run.lock, and what becomes of the run that loses it.
import { join, resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { guardOf, type Lease, type LeaseOptions } from '../../machine/files/lease.js';
import { type Owner, ownerText } from '../../machine/files/owner.js';
import { note, refuseAborted } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';

const FILE = 'run.lock';

function refusal(directory: string, owner: Owner): SplitgrowError {
  return new SplitgrowError(
    'E_RESUME',
    `output ${directory}: another run is using it (${ownerText(owner)}); wait for it, or choose another output`,
  );
}

/** A run's control, whose signal also fires when the run loses its output folder. */
export interface Hold {
  readonly control: RunControl;
  readonly lose: (error: SplitgrowError) => void;
  /** Why the folder was lost; null while the run has it. */
  readonly failure: () => SplitgrowError | null;
}

export function holdOf(control: RunControl): Hold {
  const controller = new AbortController();
  const signals = control.signal === undefined ? [] : [control.signal];
  let failure: SplitgrowError | null = null;
  return {
    control: { ...control, signal: AbortSignal.any([...signals, controller.signal]) },
    lose: (error) => {
      failure ??= error;
      controller.abort(error);
    },
    failure: () => failure,
  };
}

/**
 * Locks an output folder for all that this thread writes below it. Where nobody here can see whether its owner lives (a run
 * in another container or on another machine), a note says so, and the lock is taken over once it is not renewed for a minute.
 * @throws E_RESUME while another run holds it; E_ABORTED
 */
export async function lockOutput(
  directory: string,
  { control, lose }: Hold = holdOf({}),
  options: Pick<LeaseOptions, 'times' | 'self'> = {},
): Promise<Lease> {
  const folder = resolve(directory);
  refuseAborted(control);
  try {
    return await guardOf(join(folder, FILE), {
      ...options,
      signal: control.signal,
      onLost: lose,
      onBusy: (owner) => {
        throw refusal(directory, owner);
      },
      onWatch: (owner, seconds) =>
        note(
          control,
          0,
          'checkpoint',
          `${folder} is locked by ${ownerText(owner)}, which cannot be seen from here; ` +
            `the run goes on if that lock is not renewed within ${seconds} s`,
        ),
    });
  } catch (error) {
    refuseAborted(control);
    throw error;
  }
}
