// What long work tells while it runs, and how it is stopped.
import type { Progress } from './native.js';

export type Phase =
  | 'load'
  | 'fit'
  | 'evaluate'
  | 'indices'
  | 'select'
  | 'grow'
  | 'checkpoint'
  | 'bench'
  | 'pack'
  | 'verify';

/** Minibatch-level progress of one phase. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** Splitting stage, 0 for the seed network; 0 outside a growth run. */
  readonly stage: number;
  readonly phase: Phase;
  /** Epoch of a fit or of a Rayleigh descent, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  readonly progress: Progress;
}

/** Something finished that is worth a line: an epoch, a stage, a resumed checkpoint. */
export interface NoteEvent {
  readonly type: 'note';
  readonly stage: number;
  readonly phase: Phase;
  readonly text: string;
}

export type RunEvent = ProgressEvent | NoteEvent;

export interface RunControl {
  /** Aborting makes the promise reject with E_ABORTED; the last checkpoint stays. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
}

/** True for the first event of a stage's phase: what the phase before it wrote is there. */
export function firstOfPhase(): (event: RunEvent) => boolean {
  let before = '';
  return ({ stage, phase }) => {
    const now = `${stage} ${phase}`;
    const isFirst = now !== before;
    before = now;
    return isFirst;
  };
}

/** Seconds spent in each phase of a stage. */
export interface StageSeconds {
  readonly fit: number;
  readonly indices: number;
  readonly select: number;
  readonly grow: number;
  readonly evaluate: number;
}
