// What a command is: flags and arguments, examples, and a run that returns a document and its text.
import type { SplitgrowError } from '../errors.js';
import type { RunControl } from '../native/events.js';
import { MOST_THREADS } from '../native/threads.js';
import { type Flags, integer, toggle, type Values } from './flags.js';
import type { Meter } from './progress.js';
import type { Style } from './table.js';

/** Flags that every command has. */
export const COMMON_FLAGS = {
  json: toggle('prints one JSON document on standard output and nothing else'),
  threads: integer('T', 'CPU threads to compute with (default: one a core)', { min: 1, max: MOST_THREADS }),
  debug: toggle('prints the stack of an error too'),
};
type CommonValues = Values<typeof COMMON_FLAGS>;
export type Given = CommonValues & Readonly<Record<string, unknown>>;

export interface Output {
  /** What --json prints. */
  readonly document: unknown;
  /** What is printed otherwise. */
  readonly text: (style: Style) => string | Promise<string>;
  /** 0 unless the command did its work and found something amiss (doctor). */
  readonly exitCode?: number;
  /** What went wrong with a part of the work; told after the output, with its exit code. */
  readonly error?: SplitgrowError | null;
  /** The work printed its document itself (launch: rank 0 did). */
  readonly isPrinted?: true;
}

export interface Context {
  readonly control: RunControl;
  /** For progress that is no event of a run. */
  readonly meter: Meter;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments: Flags;
  readonly flags: Flags;
  /** Every rank of a data-parallel run works on it; other commands are rank 0's alone. */
  readonly isCollective?: true;
  /** Its work goes by splitting stages, which progress then names. */
  readonly hasStages?: boolean;
  /** It leaves nothing to save: a signal that it does not hear in the middle of a calculation ends the process there. */
  readonly endsAnywhere?: true;
  /** Command lines with a word of explanation each. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly run: (given: Given, context: Context) => Promise<Output>;
}

/** A row of COMMANDS, its run typed by its own flags and arguments. */
export function defineCommand<F extends Flags, A extends Flags = Record<never, never>>(
  command: Omit<Command, 'arguments' | 'flags' | 'run'> & {
    readonly arguments?: A;
    readonly flags: F;
    readonly run: (values: Values<A> & Values<F> & CommonValues, context: Context) => Promise<Output>;
  },
): Command {
  return { ...command, arguments: command.arguments ?? {}, run: command.run as unknown as Command['run'] };
}
