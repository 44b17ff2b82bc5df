// What long work tells while it runs, and how it is stopped.
import type { Progress } from './face.js';

/** What work is at. */
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
  /** Which kind of event or line it is. */
  readonly type: 'progress';
  /** Splitting stage, 0 for the seed network; 0 outside a growth run. */
  readonly stage: number;
  /** What the stage is at. */
  readonly phase: Phase;
  /** Epoch of a fit or of a Rayleigh descent, from 0. */
  readonly epoch: number;
  /** Epochs in all. */
  readonly epochs: number;
  /** Within the native call. */
  readonly progress: Progress;
}

/** Something finished that is worth a line: an epoch, a stage, a resumed checkpoint. */
export interface NoteEvent {
  /** Which kind of event or line it is. */
  readonly type: 'note';
  /** Splitting stage, 0 for the seed network. */
  readonly stage: number;
  /** What the stage is at. */
  readonly phase: Phase;
  /** One line, for people. */
  readonly text: string;
}

/** What long work tells: progress now and then, and a line for everything that is finished. */
export type RunEvent = ProgressEvent | NoteEvent;

/** How long work is watched and stopped. */
export interface RunControl {
  /** Aborting makes the promise reject with E_ABORTED; the last checkpoint stays. */
  readonly signal?: AbortSignal | undefined;
  /** Told on the thread that called; what it throws ends the work and is thrown by it. */
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
  /** Parametric updates. */
  readonly fit: number;
  /** Splitting indices. */
  readonly indices: number;
  /** The choice. */
  readonly select: number;
  /** Growth, with the search for epsilon. */
  readonly grow: number;
  /** On the test images. */
  readonly evaluate: number;
}
